// Package payment is the one state machine for money that customers move: top-ups and orders now, bills later. A channel
// payment is written before the channel is called, with our number as the provider's idempotency key; what the channel
// says is applied by one transition, whoever brings it (contract.md §5).
package payment

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/ledger"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/policy"
	"paydesk/internal/billing/verification"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/internal/platform/live"
	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/outbox"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

// Config is what a Service is made of; every field but Moved is needed.
type Config struct {
	DB       *database.DB
	Ledger   *ledger.Ledger
	Orders   *order.Service
	Accounts Accounts
	Checkout Quoter
	Benefits Benefits
	Codes    Codes
	Policy   *policy.Policy
	Channels channel.Registry
	Keys     *idempotency.Store
	Outbox   *outbox.Outbox
	Messages *notify.Desk
	Clock    clock.Clock
	Log      *slog.Logger
	// NotifyURL is where a channel reports, ReturnURL where its page sends the payer; ReturnOrigins are the origins that returnUrl may name.
	NotifyURL     func(models.PaymentChannel) string
	ReturnURL     func(number string) string // where a payer's browser comes back to us from a channel's page
	ReturnOrigins func() []string
	// Moved is told of each transition once it is committed, for metrics; channel is empty without an online part.
	Moved func(channel models.PaymentChannel, to models.PaymentStatus)
}

// Accounts is what payments ask of accounts.
type Accounts interface {
	ByID(ctx context.Context, id models.ID) (account models.Account, found bool, err error)
}

// Quoter judges and prices what is to be paid; it is checkout.Service.
type Quoter interface {
	Quote(ctx context.Context, r checkout.Request) (checkout.Quote, error)
}

// Benefits keeps coupons; it is benefit.Service. All of it runs in the payment's transactions.
type Benefits interface {
	// Reserve takes what a payment uses of its coupons; benefit.ErrTaken where they are not as they were priced.
	Reserve(ctx context.Context, account, payment models.ID, coupons []models.Coupon, uses []models.PaymentCoupon, at time.Time) error
	// Consume ends the reservation of a payment that succeeded, Release gives back what one took that ended otherwise;
	// benefit.ErrEnded where it has succeeded meanwhile.
	Consume(ctx context.Context, account, payment models.ID) error
	Release(ctx context.Context, account, payment models.ID, at time.Time) error
}

// Codes are verification codes; it is verification.Service.
type Codes interface {
	Wanted(a models.Account) bool
	Check(ctx context.Context, u verification.Use) (verification.Proof, error)
	Spend(ctx context.Context, p verification.Proof) error
}

// Service starts, settles and ends payments. It is safe for concurrent use.
type Service struct {
	Config
	returns recently // who came back from a channel's page a moment ago
}

// New makes a service.
func New(c Config) *Service { return &Service{Config: c} }

// Payer is who pays: the account comes from the token, never from the input.
type Payer struct {
	AccountID models.ID
	UserID    string
	Locale    string
	IP        string // where the request came from, for channels that want it; empty where nobody knows
}

// Online is the online part of a funding.
type Online struct {
	Channel         models.PaymentChannel
	Amount          money.Money
	BankCode        string
	ReturnURL       string
	PaymentMethodID string
	CardToken       string
	SaveCard        bool
	Display         channel.Display // empty: a QR code, or what the channel has
}

// errStale: somebody else changed the payment since it was read; read again.
var errStale = errors.New("payment: changed meanwhile")

const outcomeKind = "payment"

// change reads the payment and lets fn change it, in one transaction, again while somebody else was quicker.
func (s *Service) change(ctx context.Context, account, id models.ID, fn func(context.Context, *models.Payment) error) (models.Payment, error) {
	var err error
	for range 20 {
		var p models.Payment
		err = s.DB.InTx(ctx, func(ctx context.Context) error {
			var err error
			if p, err = s.ByID(ctx, account, id); err != nil {
				return err
			}
			return fn(ctx, &p)
		})
		if !errors.Is(err, errStale) {
			return p, err
		}
	}
	return models.Payment{}, err
}

const update = "UPDATE payments SET status = ?, version = ?, channel_reference = ?, action_kind = ?, action_content = ?, action_method = ?, action_fields = ?, action_expires_at = ?, " +
	"failure_code = ?, completed_at = ?, sweep_at = ?, sweep_count = ? WHERE account_id = ? AND id = ? AND version = ?"

// move makes the transition that ev means, in the transaction of ctx, with its timeline event and outbox row. It reports
// false where the table has none: then nothing was written. Errors: errStale.
func (s *Service) move(ctx context.Context, p *models.Payment, ev event, topics ...string) (bool, error) {
	to, ok := next(*p, ev)
	if !ok {
		return false, nil
	}
	now, before := s.Clock.Now(), p.Version
	p.Status, p.Version = to, before+1
	if to.Terminal() {
		p.CompletedAt = &now
		p.SweepCount, p.SweepAt = 0, s.lateWatch(*p, now, 0)
	}
	if to != models.PaymentRequiresAction { // the payer has nothing to do any more
		if p.ActionKind != models.ActionScanQR { // a code's picture is shown as long as its link is good (contract §3); it pays nothing any more
			p.ActionKind, p.ActionContent = "", ""
		}
		p.ActionMethod, p.ActionFields, p.ActionExpiresAt = "", nil, nil
	}
	n, err := s.DB.Exec(ctx, update, string(p.Status), p.Version, p.ChannelReference, string(p.ActionKind), nullable(p.ActionContent), p.ActionMethod, p.ActionFields, p.ActionExpiresAt,
		p.FailureCode, p.CompletedAt, p.SweepAt, p.SweepCount, p.AccountID, p.ID, before)
	if err != nil {
		return false, err
	}
	if n == 0 {
		return false, errStale
	}
	if err := s.event(ctx, *p, "payment.note."+string(ev), now); err != nil {
		return false, err
	}
	return true, s.Outbox.Add(ctx, p.AccountID, append(topics, live.Payment(p.ID))...)
}

func (s *Service) event(ctx context.Context, p models.Payment, note string, at time.Time) error {
	seen(trace.Current(ctx), p)
	_, err := s.DB.Exec(ctx, "INSERT INTO payment_events (account_id, payment_id, version, status, note, at) VALUES (?,?,?,?,?,?)",
		p.AccountID, p.ID, p.Version, string(p.Status), note, at)
	if err == nil && s.Moved != nil {
		s.DB.AfterCommit(ctx, func() { s.Moved(p.Channel, p.Status) })
	}
	return err
}

const insert = "INSERT INTO payments (account_id, id, number, purpose, status, currency, amount, balance_amount, online_amount, channel, channel_reference, bank_code, return_url, action_kind, action_method, failure_code, created_by, locale, created_at, expires_at, completed_at, version, sweep_at, partner_amount, partner_id, partner_message, terms) " +
	"VALUES (?,?,?,?,?,?,?,?,?,?,'',?,?,'','','',?,?,?,?,?,1,?,?,?,?,?)"

// create writes a new payment, version 1, with its first timeline event.
func (s *Service) create(ctx context.Context, p models.Payment) error {
	if _, err := s.DB.Exec(ctx, insert, p.AccountID, p.ID, p.Number, string(p.Purpose), string(p.Status), p.Currency, p.Amount, p.BalanceAmount, p.OnlineAmount,
		string(p.Channel), p.BankCode, p.ReturnURL, p.CreatedBy, p.Locale, p.CreatedAt, p.ExpiresAt, p.CompletedAt, p.SweepAt, p.PartnerAmount, p.PartnerID, p.PartnerMessage, p.Terms); err != nil {
		return err
	}
	note := "payment.note.created"
	if p.Status == models.PaymentSucceeded {
		note = "payment.note.succeeded"
	}
	return s.event(ctx, p, note, p.CreatedAt)
}

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}
