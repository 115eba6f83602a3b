package models

import "time"

// PaymentPurpose is what a payment is for.
type PaymentPurpose string

// Purposes of a payment.
const (
	PurposeOrders PaymentPurpose = "ORDERS"
	PurposeTopUp  PaymentPurpose = "TOP_UP"
	PurposeBills  PaymentPurpose = "BILLS"
	PurposeUsage  PaymentPurpose = "USAGE"
)

// PaymentStatus is the state of a payment; the last four are terminal and never left.
type PaymentStatus string

// Statuses of a payment.
const (
	PaymentRequiresAction PaymentStatus = "REQUIRES_ACTION"
	PaymentProcessing     PaymentStatus = "PROCESSING"
	PaymentSucceeded      PaymentStatus = "SUCCEEDED"
	PaymentFailed         PaymentStatus = "FAILED"
	PaymentCanceled       PaymentStatus = "CANCELED"
	PaymentExpired        PaymentStatus = "EXPIRED"
)

// Terminal reports whether the status is never left.
func (s PaymentStatus) Terminal() bool {
	switch s {
	case PaymentSucceeded, PaymentFailed, PaymentCanceled, PaymentExpired:
		return true
	}
	return false
}

// PaymentChannel is a way in for money.
type PaymentChannel string

// Channels.
const (
	ChannelAlipay             PaymentChannel = "ALIPAY"
	ChannelWeChatPay          PaymentChannel = "WECHAT_PAY"
	ChannelQQWallet           PaymentChannel = "QQ_WALLET"
	ChannelTenpay             PaymentChannel = "TENPAY"
	ChannelUnionPayPersonal   PaymentChannel = "UNIONPAY_PERSONAL"
	ChannelUnionPayEnterprise PaymentChannel = "UNIONPAY_ENTERPRISE"
	ChannelHuaweiPay          PaymentChannel = "HUAWEI_PAY"
	ChannelBankCard           PaymentChannel = "BANK_CARD"
	ChannelPayPal             PaymentChannel = "PAYPAL"
)

// ActionKind says what a payer has to do next.
type ActionKind string

// Kinds of next action.
const (
	ActionScanQR       ActionKind = "SCAN_QR"
	ActionRedirect     ActionKind = "REDIRECT"
	ActionAwaitPartner ActionKind = "AWAIT_PARTNER" // nothing for the payer: the partner decides until ExpiresAt
)

// Payment is one attempt to move money; its parts are columns because there are at most three. Minor units of Currency.
type Payment struct {
	AccountID        ID     `gorm:"primaryKey"`
	ID               ID     `gorm:"primaryKey"`
	Number           string // merchant order number: 20 to 32 characters of 0-9 and A-Z
	Purpose          PaymentPurpose
	Status           PaymentStatus
	Currency         string
	Amount           int64 // = BalanceAmount + OnlineAmount + PartnerAmount
	BalanceAmount    int64
	OnlineAmount     int64
	PartnerAmount    int64
	Channel          PaymentChannel // empty without an online part
	ChannelReference string         // the provider's own number, once it has one
	BankCode         string
	ReturnURL        string
	ActionKind       ActionKind // empty where nothing has to be done
	ActionContent    string     // the QR code's content, or the URL to go to
	ActionMethod     string     // GET or POST, of a redirect
	ActionFields     FormFields `gorm:"type:text"`
	ActionExpiresAt  *time.Time
	FailureCode      string
	LateAmount       int64 // what arrived after the end and went to the balance
	Refunded         int64
	CreatedBy        string // the token's sub
	Locale           string // of the person who pays
	CreatedAt        time.Time
	ExpiresAt        *time.Time
	CompletedAt      *time.Time
	Version          int64
	SweepAt          *time.Time // when the sweep looks at it next; NULL where nothing is open
	SweepCount       int64
	PartnerID        ID     // the partner's account that is asked to pay; zero where none is
	PartnerMessage   string // what the partner reads
	DeclineReason    string // why the partner refused, as it told the customer
	Terms            Terms  `gorm:"type:text"`
}

// Terms are what a payment was agreed on besides its amounts: written once, read with it, never searched.
type Terms struct {
	DiscountID      string        `json:"discount,omitempty"`  // as the API names it
	Removed         []RemovedItem `json:"removed,omitempty"`   // orders that PAY_REMAINING left out
	OutsideContract bool          `json:"outside,omitempty"`   // CreatedBy agreed at CreatedAt to pay outside the sales contract (HW-20)
	VerifiedBy      string        `json:"verified,omitempty"`  // SMS, EMAIL or TOTP, where a code was required (HW-34)
	Display         string        `json:"display,omitempty"`   // how the payer wanted to get to the channel
	CardToken       string        `json:"token,omitempty"`     // of the card field, used once; only its provider can make something of it
	Challenge       bool          `json:"challenge,omitempty"` // 3-D Secure was wanted
	PayerIP         string        `json:"ip,omitempty"`        // where CreatedBy asked from, for channels that want it
	Card            *UsedCard     `json:"card,omitempty"`      // the card as it was when it was charged
}

// UsedCard is what stays of a card that paid.
type UsedCard struct {
	Brand string `json:"brand"` // VISA, MASTERCARD, AMERICAN_EXPRESS, JCB
	Last4 string `json:"last4"`
}

// RemovedItem is an order that a payment left out, and why.
type RemovedItem struct {
	OrderID string `json:"order"` // as the API names it
	Code    string `json:"code"`
}

// InReview reports whether the payer's money is taken and the provider has not decided whether it is ours. Only then is a payment
// PROCESSING beyond its first version: the payer has acted, or had nothing to do, and nobody can end it but the provider.
func (p Payment) InReview() bool { return p.Status == PaymentProcessing && p.Version > 1 }

// TableName is the table of payments.
func (Payment) TableName() string { return "payments" }

// PaymentOrder is an order's share of a payment (allocation). Due = Amount - Discount - Coupon.
type PaymentOrder struct {
	AccountID ID `gorm:"primaryKey"`
	PaymentID ID `gorm:"primaryKey"`
	OrderID   ID `gorm:"primaryKey"`
	Amount    int64
	Discount  int64
	Coupon    int64
	Due       int64
	Refunded  int64 // of Due
	CreatedAt time.Time
}

// TableName is the table of allocations.
func (PaymentOrder) TableName() string { return "payment_orders" }

// PaymentEvent is one transition of a payment: its timeline has one for each version.
type PaymentEvent struct {
	AccountID ID    `gorm:"primaryKey"`
	PaymentID ID    `gorm:"primaryKey"`
	Version   int64 `gorm:"primaryKey"`
	Status    PaymentStatus
	Note      string // a message key, put into words in the reader's language
	At        time.Time
}

// TableName is the table of payment events.
func (PaymentEvent) TableName() string { return "payment_events" }
