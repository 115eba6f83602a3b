// Package policy holds the vendor's rules as data: a YAML profile read into a checked Policy, and the one engine that says what
// a customer may do. Options, quotes and payments all ask it, so what is shown is what is enforced (decision C5).
package policy

import (
	"time"
	_ "time/tzdata" // the site's time zone is known on machines without a zone database, too

	"paydesk/internal/money"
	"paydesk/models"
)

// Policy is a vendor's rules. Every field is a key of the profile; docs/policy.md explains each. Made by Load, never changed after.
type Policy struct {
	Name            string           `yaml:"name"`
	Extends         string           `yaml:"extends"`
	TimeZone        string           `yaml:"time_zone"`
	Currencies      []money.Currency `yaml:"currencies"`
	Regions         []Region         `yaml:"regions"`
	SigningEntities []SigningEntity  `yaml:"signing_entities"`
	Banks           []Bank           `yaml:"banks"`
	ChannelRules    []Channel        `yaml:"channels"`
	BalancePayment  bool             `yaml:"balance_payment"`
	Orders          Orders           `yaml:"orders"`
	Payments        Payments         `yaml:"payments"`
	TopUp           TopUp            `yaml:"top_up"`
	Protection      Protection       `yaml:"operation_protection"`
	Cards           Cards            `yaml:"cards"`
	PayPal          PayPal           `yaml:"paypal"`
	Coupons         Coupons          `yaml:"coupons"`
	Refunds         Refunds          `yaml:"refunds"`
	PaymentRequest  PaymentRequest   `yaml:"payment_request"`
	Remittance      Remittance       `yaml:"remittance"`
	Withdrawal      Withdrawal       `yaml:"withdrawal"`
	Bills           Bills            `yaml:"bills"`
	Support         Support          `yaml:"support"`

	location *time.Location
}

// Region is a group of countries in which the same methods are offered (AL-8). A region without countries takes all others (AL-9).
type Region struct {
	Key       string   `yaml:"key"`
	Countries []string `yaml:"countries"`
}

// SigningEntity is the vendor's company that sells to the customer (HW-27). Channels name the entities they serve.
type SigningEntity struct {
	Key        string           `yaml:"key"`
	LegalName  Text             `yaml:"legal_name"`
	Currencies []money.Currency `yaml:"currencies"`
}

// Bank can be chosen before the payer is sent to it (PA-16, TX-22).
type Bank struct {
	Code string `yaml:"code"`
	Name Text   `yaml:"name"`
}

// Channel is a way to pay online, and for whom and for what it is open. Empty lists of regions and account kinds mean all.
type Channel struct {
	Channel         models.PaymentChannel   `yaml:"channel"`
	Purposes        []models.PaymentPurpose `yaml:"purposes"`
	SigningEntities []string                `yaml:"signing_entities"`
	Regions         []string                `yaml:"regions"`
	AccountKinds    []models.AccountKind    `yaml:"account_kinds"`
	Limits          Limits                  `yaml:"limits"`
	WholeUnits      bool                    `yaml:"whole_units"`
	QuickPay        bool                    `yaml:"quick_pay"`
	Banks           []string                `yaml:"banks"`
}

// Orders are the rules of orders as such.
type Orders struct {
	Validity     Duration `yaml:"validity"`
	MergeMaximum int      `yaml:"merge_maximum"`
}

// Payments are the rules of an attempt to pay.
type Payments struct {
	Validity        Duration `yaml:"validity"`
	PartnerValidity Duration `yaml:"partner_validity"`
}

// TopUp is what the top-up page offers.
type TopUp struct {
	Suggested AmountLists `yaml:"suggested"`
	Codes     Codes       `yaml:"codes"`
}

// Codes are the rules of top-up codes (D6).
type Codes struct {
	WrongTriesPerHour int `yaml:"wrong_tries_per_hour"`
}

// Protection says for whom sensitive payments need a verification code unless the account decided otherwise, and how codes live (D2).
type Protection struct {
	OnFor  []models.AccountKind       `yaml:"on_for"`
	Scenes []models.VerificationScene `yaml:"scenes"`
	Codes  VerificationCodes          `yaml:"codes"`
}

// VerificationCodes is the life of a code sent by SMS or e-mail (D2).
type VerificationCodes struct {
	Digits      int      `yaml:"digits"`
	Validity    Duration `yaml:"validity"`
	WrongTries  int      `yaml:"wrong_tries"`
	ResendAfter Duration `yaml:"resend_after"`
}

// CardBrand is a card network.
type CardBrand string

// Card networks.
const (
	Visa            CardBrand = "VISA"
	Mastercard      CardBrand = "MASTERCARD"
	AmericanExpress CardBrand = "AMERICAN_EXPRESS"
	JCB             CardBrand = "JCB"
)

// Cards are the rules of bank cards (C1 to C4, AL-8 to AL-20).
type Cards struct {
	Brands             map[string][]CardBrand `yaml:"brands"`
	BlockedCountries   []string               `yaml:"blocked_countries"`
	BlockedFundings    []string               `yaml:"blocked_fundings"`
	ThreeDSecure       []string               `yaml:"three_d_secure_regions"`
	Preauthorization   Amounts                `yaml:"preauthorization"`
	VoidWithin         Duration               `yaml:"void_within"`
	ReleaseWorkingDays int                    `yaml:"release_working_days"`
	ReleaseLatestDays  int                    `yaml:"release_latest_days"`
	QuietPeriod        Duration               `yaml:"quiet_period"`
	ChargeThreshold    Amounts                `yaml:"charge_threshold"`
}

// PayPal are the rules of PayPal accounts (AL-12, AL-35).
type PayPal struct {
	BlockedCountries []string `yaml:"blocked_countries"`
	ChargeThreshold  Amounts  `yaml:"charge_threshold"`
	ThresholdBounds  Limits   `yaml:"threshold_bounds"`
}

// Coupons are the rules of coupons (C7).
type Coupons struct {
	MaximumPerOrder int `yaml:"maximum_per_order"`
}

// Refunds say where the online part of a payment goes back to (D10).
type Refunds struct {
	OnlineTo      RefundRoute `yaml:"online_to"`
	ReturnCoupons bool        `yaml:"return_coupons"`
}

// PaymentRequest says who may have a document made to request the money from their company (HW-25), and how long after its
// validity the document is kept.
type PaymentRequest struct {
	Kinds []models.AccountKind `yaml:"kinds"`
	Kept  Duration             `yaml:"kept"`
}

// leastKept is how long a document is kept at least: its idempotency key, which gives it again, lives 30 days (contract §4).
const leastKept = 31 * 24 * time.Hour

// RefundRoute is where an online part is refunded to.
type RefundRoute string

// Routes of a refund.
const (
	RefundToChannel RefundRoute = "CHANNEL"
	RefundToBalance RefundRoute = "BALANCE"
)

// Remittance are the rules of bank transfers (C8, TX-15 to TX-21).
type Remittance struct {
	WorkingDays   WorkingDays      `yaml:"working_days"`
	CreditMatches bool             `yaml:"credit_matches"`
	Remark        Text             `yaml:"remark"`
	Account       ReceivingAccount `yaml:"account"`
}

// WorkingDays is how long something takes; the first day does not count.
type WorkingDays struct {
	From int `yaml:"from"`
	To   int `yaml:"to"`
}

// ReceivingAccount is the vendor's account at a bank (TX-16).
type ReceivingAccount struct {
	Payee       string `yaml:"payee"`
	Number      string `yaml:"number"`
	Bank        string `yaml:"bank"`
	BankAddress string `yaml:"bank_address"`
	SWIFT       string `yaml:"swift"`
}

// Withdrawal are the rules of money that leaves (PA-3, PA-4, PA-R3, PA-R5).
type Withdrawal struct {
	PerMonth             int     `yaml:"per_month"`
	WorkingDays          int     `yaml:"working_days"`
	RetainedWhileRunning Amounts `yaml:"retained_while_running"`
}

// Bills are the rules of monthly bills.
type Bills struct {
	DueAfterDays int     `yaml:"due_after_days"`
	TaxPercent   Percent `yaml:"tax_percent"`
}

// Support is where a customer finds help (PA-19).
type Support struct {
	Hotline  string `yaml:"hotline"`
	Email    string `yaml:"email"`
	Service  string `yaml:"service"`
	Tickets  string `yaml:"tickets"`
	Feedback bool   `yaml:"feedback"`
}

// Location is the site's time zone: "this month", "expires this month" and working days go by it (D8).
func (p *Policy) Location() *time.Location { return p.location }
