package config

// Alipay is the merchant's account there; used where AppID is set, else the sandbox in development, else the
// channel is closed. Keys are paths of files.
type Alipay struct {
	BaseURL    string `env:"PAYDESK_ALIPAY_URL" default:"https://openapi.alipay.com/gateway.do" doc:"Gateway of Alipay."`
	AppID      string `env:"PAYDESK_ALIPAY_APP_ID" doc:"Our application there. Empty: the sandbox in development, otherwise the channel is closed."`
	SellerID   string `env:"PAYDESK_ALIPAY_SELLER_ID" doc:"Our merchant account there (2088…)."`
	PrivateKey string `env:"PAYDESK_ALIPAY_PRIVATE_KEY_FILE" file:"yes" doc:"File of the application's RSA key (RSA2)."`
	PublicKey  string `env:"PAYDESK_ALIPAY_PUBLIC_KEY_FILE" file:"yes" doc:"File of Alipay's public key."`
	QRProduct  string `env:"PAYDESK_ALIPAY_QR_PRODUCT" default:"FACE_TO_FACE_PAYMENT" doc:"Product that QR codes are sold under: FACE_TO_FACE_PAYMENT (当面付) or QR_CODE_OFFLINE (订单码支付), as signed up for there."`
}

// WeChat is the merchant's account at WeChat Pay; used where MchID is set, as with Alipay.
type WeChat struct {
	BaseURL           string `env:"PAYDESK_WECHAT_URL" default:"https://api.mch.weixin.qq.com" doc:"API of WeChat Pay."`
	AppID             string `env:"PAYDESK_WECHAT_APP_ID" doc:"Our application there."`
	MchID             string `env:"PAYDESK_WECHAT_MCH_ID" doc:"Our merchant number there. Empty: the sandbox in development, otherwise the channel is closed."`
	CertificateSerial string `env:"PAYDESK_WECHAT_CERTIFICATE_SERIAL" doc:"Serial number of our API certificate."`
	PrivateKey        string `env:"PAYDESK_WECHAT_PRIVATE_KEY_FILE" file:"yes" doc:"File of our API certificate's key, PKCS#8."`
	PublicKeyID       string `env:"PAYDESK_WECHAT_PUBLIC_KEY_ID" doc:"Id of WeChat Pay's public key (PUB_KEY_ID_…)."`
	PublicKey         string `env:"PAYDESK_WECHAT_PUBLIC_KEY_FILE" file:"yes" doc:"File of WeChat Pay's public key."`
	APIv3Key          string `env:"PAYDESK_WECHAT_APIV3_KEY" secret:"yes" doc:"The 32-byte key that opens notifications."`
}

// UnionPay is the merchant's account there, for both kinds of bank; used where MerchantID is set.
type UnionPay struct {
	BaseURL          string `env:"PAYDESK_UNIONPAY_URL" default:"https://gateway.95516.com" doc:"Gateway of UnionPay."`
	FileURL          string `env:"PAYDESK_UNIONPAY_FILE_URL" default:"https://filedownload.95516.com" doc:"Where UnionPay's daily files are fetched."`
	MerchantID       string `env:"PAYDESK_UNIONPAY_MERCHANT_ID" doc:"Our merchant number there, 15 characters. Empty: the sandbox in development, otherwise the channels are closed."`
	Keystore         string `env:"PAYDESK_UNIONPAY_KEYSTORE_FILE" file:"yes" doc:"File of our certificate and key (.pfx)."`
	KeystorePassword string `env:"PAYDESK_UNIONPAY_KEYSTORE_PASSWORD" secret:"yes" doc:"Password of that file."`
	Roots            string `env:"PAYDESK_UNIONPAY_ROOTS_FILE" file:"yes" doc:"File of UnionPay's root and intermediate certificates, PEM."`
}

// QQ is the merchant's account at QQ Wallet; used where MchID is set.
type QQ struct {
	BaseURL      string `env:"PAYDESK_QQ_URL" default:"https://qpay.qq.com" doc:"API of QQ Wallet."`
	RefundURL    string `env:"PAYDESK_QQ_REFUND_URL" default:"https://api.qpay.qq.com" doc:"API of QQ Wallet for refunds."`
	MchID        string `env:"PAYDESK_QQ_MCH_ID" doc:"Our merchant number at QQ Wallet. Empty: the sandbox in development, otherwise the channel is closed."`
	APIKey       string `env:"PAYDESK_QQ_API_KEY" secret:"yes" doc:"The key that signs calls and notifications of QQ Wallet."`
	Certificate  string `env:"PAYDESK_QQ_CERTIFICATE_FILE" file:"yes" doc:"File of our client certificate for refunds, PEM."`
	PrivateKey   string `env:"PAYDESK_QQ_PRIVATE_KEY_FILE" file:"yes" doc:"File of its key, PEM."`
	Operator     string `env:"PAYDESK_QQ_OPERATOR" doc:"Operator who refunds (op_user_id)."`
	OperatorPass string `env:"PAYDESK_QQ_OPERATOR_PASSWORD" secret:"yes" doc:"The operator's password."`
}

// Tenpay is the merchant's account there; used where Partner is set. Tenpay takes no new merchants.
type Tenpay struct {
	BaseURL      string `env:"PAYDESK_TENPAY_URL" default:"https://gw.tenpay.com" doc:"Gateway of Tenpay."`
	Partner      string `env:"PAYDESK_TENPAY_PARTNER" doc:"Our merchant number at Tenpay. Empty: the sandbox in development, otherwise the channel is closed."`
	Key          string `env:"PAYDESK_TENPAY_KEY" secret:"yes" doc:"The key that signs calls and notifications of Tenpay."`
	MerchantURL  string `env:"PAYDESK_TENPAY_MERCHANT_URL" default:"https://api.mch.tenpay.com" doc:"Where Tenpay takes refunds and gives statements."`
	Certificate  string `env:"PAYDESK_TENPAY_CERTIFICATE_FILE" file:"yes" doc:"File of our client certificate there, PEM."`
	PrivateKey   string `env:"PAYDESK_TENPAY_PRIVATE_KEY_FILE" file:"yes" doc:"File of its key, PEM."`
	Operator     string `env:"PAYDESK_TENPAY_OPERATOR" doc:"Operator at Tenpay who refunds."`
	OperatorPass string `env:"PAYDESK_TENPAY_OPERATOR_PASSWORD" secret:"yes" doc:"That operator's password."`
}

// Huawei is the merchant's account at Huawei Pay (Petal Pay); used where MerchantNumber is set.
type Huawei struct {
	BaseURL        string `env:"PAYDESK_HUAWEI_URL" default:"https://petalpay-developer.cloud.huawei.com.cn" doc:"API of Huawei Pay."`
	MerchantNumber string `env:"PAYDESK_HUAWEI_MERCHANT_NUMBER" doc:"Our merchant number at Huawei Pay. Empty: the sandbox in development, otherwise the channel is closed."`
	AppID          string `env:"PAYDESK_HUAWEI_APP_ID" doc:"Our application there."`
	AuthID         string `env:"PAYDESK_HUAWEI_AUTH_ID" doc:"Id of our public key there."`
	PrivateKey     string `env:"PAYDESK_HUAWEI_PRIVATE_KEY_FILE" file:"yes" doc:"File of our RSA key, 3072 bits or more, PEM."`
	PublicKey      string `env:"PAYDESK_HUAWEI_PUBLIC_KEY_FILE" file:"yes" doc:"File of Huawei Pay's SM2 public key, hexadecimal or PEM."`
	PageURL        string `env:"PAYDESK_HUAWEI_PAGE_URL" doc:"Page that the QR code leads to and that opens the wallet with the order in its parameter order."`
}

// Stripe takes international cards; used where SecretKey is set.
type Stripe struct {
	BaseURL        string `env:"PAYDESK_STRIPE_URL" default:"https://api.stripe.com" doc:"API of Stripe."`
	SecretKey      string `env:"PAYDESK_STRIPE_SECRET_KEY" secret:"yes" doc:"Our secret key there (sk_…). Empty: the sandbox in development, otherwise cards are closed."`
	PublishableKey string `env:"PAYDESK_STRIPE_PUBLISHABLE_KEY" doc:"Our publishable key (pk_…), for the card field in the browser."`
	WebhookSecret  string `env:"PAYDESK_STRIPE_WEBHOOK_SECRET" secret:"yes" doc:"Secret that signs notifications (whsec_…)."`
	CardFieldURL   string `env:"PAYDESK_STRIPE_CARD_FIELD_URL" default:"https://js.stripe.com/v3/" doc:"Where the browser gets the card field from."`
}

// PayPal is the merchant's account there; used where ClientID is set.
type PayPal struct {
	BaseURL      string `env:"PAYDESK_PAYPAL_URL" default:"https://api-m.paypal.com" doc:"API of PayPal."`
	ClientID     string `env:"PAYDESK_PAYPAL_CLIENT_ID" doc:"Our application there. Empty: the sandbox in development, otherwise the channel is closed."`
	ClientSecret string `env:"PAYDESK_PAYPAL_CLIENT_SECRET" secret:"yes" doc:"Its secret."`
	WebhookID    string `env:"PAYDESK_PAYPAL_WEBHOOK_ID" doc:"Id of our webhook there; notifications are signed for it."`
	MerchantID   string `env:"PAYDESK_PAYPAL_MERCHANT_ID" doc:"Our merchant id; payments to another one are refused."`
	Roots        string `env:"PAYDESK_PAYPAL_ROOTS_FILE" file:"yes" doc:"File of root and intermediate certificates that vouch for PayPal's notifications beside the system's, PEM. Empty: PayPal's own host may vouch for them, over TLS."`
}
