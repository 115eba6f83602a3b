// Package fleet makes the adapters of all channels: of those that are configured for their real providers, of the others for the sandbox,
// where there is one.
package fleet

import "paydesk/models"

// Names are all channels, in the order of the contract.
var Names = []models.PaymentChannel{
	models.ChannelAlipay, models.ChannelWeChatPay, models.ChannelQQWallet, models.ChannelTenpay, models.ChannelUnionPayPersonal, models.ChannelUnionPayEnterprise,
	models.ChannelHuaweiPay, models.ChannelBankCard, models.ChannelPayPal,
}
