package resolvers

import (
	"context"
	"log/slog"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/payment"
	"paydesk/internal/billing/policy"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// Services are what the resolvers call. Every field is needed except Health and RequestID.
type Services struct {
	Accounts        Accounts
	Orders          Orders
	Payments        Payments
	Refunds         Refunds
	Ledger          Statement
	Checkout        Checkout
	Benefits        Benefits
	Requests        PaymentRequests
	Verification    Verification
	Suspense        Suspense
	Reconciliations Reconciliations
	Notifications   Notifications
	Policy          *policy.Policy
	Health          policy.Health // which channels answer now; nil: all do
	Live            Live
	Clock           clock.Clock
	Log             *slog.Logger
	// QRImage is the signed address of the picture of a payment's QR code.
	QRImage func(payment models.ID) string
	// CardField is where a browser turns a card into a token; nil where no channel takes cards.
	CardField func(ctx context.Context) (*channel.CardField, error)
	// FileURL is the signed address of a file.
	FileURL func(f models.File) string
	// RequestID names the request in logs and in masked errors.
	RequestID func(ctx context.Context) string
}

// Accounts is what the face needs of account.Service.
type Accounts interface {
	ByID(ctx context.Context, id models.ID) (models.Account, bool, error)
	ByIDs(ctx context.Context, ids []models.ID) ([]models.Account, error)
	ByNumber(ctx context.Context, number string) (models.Account, bool, error)
	Balance(ctx context.Context, id models.ID) (models.Balance, bool, error)
	WithBalance(ctx context.Context, id models.ID) (models.Account, models.Balance, bool, error)
	Open(ctx context.Context, o account.Opening) (models.Account, error)
	Update(ctx context.Context, id models.ID, u account.Update) (models.Account, error)
	UpdateSettings(ctx context.Context, t account.Turning, codes account.Codes) (models.Account, error)
}

// Orders is what the face needs of order.Service.
type Orders interface {
	List(ctx context.Context, q order.Query) (order.List, error)
	ByNumber(ctx context.Context, account models.ID, number string) (models.Order, bool, error)
	ByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Order, error)
	ByIDsAnywhere(ctx context.Context, ids []models.ID) ([]models.Order, error)
	LinkedTo(ctx context.Context, account models.ID, orders []models.Order) (map[models.ID][]models.Order, error)
	Place(ctx context.Context, p order.Placement) ([]models.Order, error)
	Cancel(ctx context.Context, account, id models.ID) (models.Order, error)
	ReportDelivery(ctx context.Context, id models.ID, delivered bool, reason string) (models.Order, error)
	Review(ctx context.Context, r order.Review) (models.Order, error)
	Confirm(ctx context.Context, id models.ID, by string) (models.Order, error)
}

// Payments is what the face needs of payment.Service.
type Payments interface {
	TopUp(ctx context.Context, who payment.Payer, online payment.Online) (models.Payment, error)
	Pay(ctx context.Context, who payment.Payer, in payment.PayInput) (models.Payment, error)
	MergePay(ctx context.Context, who payment.Payer, in payment.MergeInput) (models.Payment, error)
	Cancel(ctx context.Context, account, id models.ID) (models.Payment, error)
	ByIDAnywhere(ctx context.Context, id models.ID) (models.Payment, error)
	ByIDsAnywhere(ctx context.Context, ids []models.ID) ([]models.Payment, error)
	ByNumbersAnywhere(ctx context.Context, numbers []string) ([]models.Payment, error)
	ApprovePartner(ctx context.Context, who payment.Payer, id models.ID) (models.Payment, error)
	DeclinePartner(ctx context.Context, who payment.Payer, id models.ID, reason string) (models.Payment, error)
	SettleFreeze(ctx context.Context, order models.ID, charge money.Money) (models.Order, error)
	ByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Payment, error)
	ForPartner(ctx context.Context, account models.ID, ids []models.ID) ([]models.Payment, error)
	List(ctx context.Context, account models.ID, f payment.Filter, p page.Page) (page.Result[models.Payment], error)
	Count(ctx context.Context, account models.ID, f payment.Filter) (int64, error)
	Events(ctx context.Context, account models.ID, payments []models.ID) (map[models.ID][]models.PaymentEvent, error)
	Allocations(ctx context.Context, account models.ID, payments []models.ID) (map[models.ID][]models.PaymentOrder, error)
	OfOrders(ctx context.Context, account models.ID, orders []models.ID) (map[models.ID][]models.Payment, error)
	LastTopUp(ctx context.Context, account models.ID) (*money.Money, error)
}

// Statement is what the face needs of ledger.Ledger.
type Statement interface {
	Statement(ctx context.Context, account models.ID, f ledger.Filter, p page.Page) (page.Result[models.Posting], error)
	Count(ctx context.Context, account models.ID, f ledger.Filter) (int64, error)
	Line(ctx context.Context, account, id models.ID) (models.Posting, bool, error)
	LineAnywhere(ctx context.Context, id models.ID) (models.Posting, bool, error)
}

// Live wakes whoever watches a topic.
type Live interface {
	Watch(topic string) (wake <-chan struct{}, stop func())
}
