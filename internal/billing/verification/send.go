package verification

import (
	"context"
	"crypto/rand"
	"fmt"
	"math/big"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/money"
	"paydesk/internal/platform/notify"
	"paydesk/models"
)

// Sending is what a person asks for. OrderIDs and Funding bind the code to a payment; nil leaves it open.
type Sending struct {
	AccountID models.ID
	UserID    string
	Locale    string
	Scene     models.VerificationScene
	Kind      models.VerificationKind
	OrderIDs  []models.ID
	Funding   *Funding
}

// Sent is a code on its way; the zero Sent of TOTP, where nothing is sent.
type Sent struct {
	To                  string // masked
	ResendAt, ExpiresAt time.Time
}

// TooSoon is the detail of VERIFICATION_TOO_SOON.
type TooSoon struct{ ResendAt time.Time }

// Send sends a code, which replaces those before it for this person and scene. Faults: ORDER_NOT_FOUND, INVALID_INPUT (no address or
// app for this kind, orders or a funding that do not fit), VERIFICATION_TOO_SOON with TooSoon, TOO_MANY_ATTEMPTS where the account has
// had too many in a day.
func (s *Service) Send(ctx context.Context, in Sending) (Sent, error) {
	account, found, err := s.Accounts.ByID(ctx, in.AccountID)
	if err != nil {
		return Sent{}, err
	}
	if !found {
		return Sent{}, fault.New("ACCOUNT_NOT_FOUND")
	}
	what, err := s.named(ctx, account.Currency, in)
	if err != nil {
		return Sent{}, err
	}
	noWay := fault.New("INVALID_INPUT", "input", "kind").With("case", "code")
	if in.Kind == models.CodeByTOTP {
		app, bound, err := s.authenticator(ctx, in.UserID)
		if err == nil && (!bound || len(app.Secret) == 0) {
			err = noWay
		}
		return Sent{}, err
	}
	if !s.Messages.Reaches(account, string(in.Kind)) {
		return Sent{}, noWay
	}
	return s.send(ctx, account, in, what)
}

// send writes the code and its message together. The account's row is locked, so that of two that ask at once one comes too soon.
func (s *Service) send(ctx context.Context, account models.Account, in Sending, what agreed) (sent Sent, err error) {
	rules := s.Policy.Protection.Codes
	err = s.DB.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.DB.Exec(ctx, "UPDATE accounts SET updated_at = updated_at WHERE id = ?", account.ID); err != nil {
			return err
		}
		now := s.Clock.Now()
		if err := s.maySend(ctx, in, now); err != nil {
			return err
		}
		code, err := digits(rules.Digits)
		if err != nil {
			return err
		}
		row := models.VerificationCode{AccountID: account.ID, ID: models.NewID(), UserID: in.UserID, Scene: in.Scene, Kind: in.Kind, Terms: what.terms,
			CreatedAt: now, ExpiresAt: now.Add(time.Duration(rules.Validity))}
		if _, err := s.DB.Exec(ctx, "INSERT INTO verification_codes (account_id, id, user_id, scene, kind, hash, terms, tries, created_at, expires_at) VALUES (?,?,?,?,?,?,?,0,?,?)",
			row.AccountID, row.ID, row.UserID, string(row.Scene), string(row.Kind), s.hash(row.ID, row.UserID, code), row.Terms, row.CreatedAt, row.ExpiresAt); err != nil {
			return err
		}
		sent = Sent{To: mask(account, in.Kind), ResendAt: now.Add(time.Duration(rules.ResendAfter)), ExpiresAt: row.ExpiresAt}
		args := map[string]any{"case": string(in.Scene), "minutes": int(time.Duration(rules.Validity).Minutes())}
		if what.total != nil {
			args["amount"], args["balance"], args["online"] = *what.total, what.balance, what.online
			if what.orders > 0 {
				args["orders"] = what.orders
			}
		}
		return s.Messages.Tell(ctx, notify.Letter{Account: account, Locale: in.Locale, Key: "letter.code", Args: args, At: now, Code: code, Only: string(in.Kind), Until: row.ExpiresAt})
	})
	return sent, err
}

const (
	day  = 24 * time.Hour
	keep = 30 * day // how long a code that is over is kept, for whoever asks what happened
)

// maySend holds resends and a day's codes back. A code that was used is no resend: what comes next is another operation.
func (s *Service) maySend(ctx context.Context, in Sending, now time.Time) error {
	last, found, err := s.newest(ctx, in.AccountID, in.UserID, in.Scene)
	if err != nil {
		return err
	}
	if resendAt := last.CreatedAt.Add(time.Duration(s.Policy.Protection.Codes.ResendAfter)); found && last.UsedAt == nil && resendAt.After(now) {
		seconds := int((resendAt.Sub(now) + time.Second - 1) / time.Second)
		return fault.New("VERIFICATION_TOO_SOON").With("seconds", seconds).Because(&TooSoon{ResendAt: resendAt})
	}
	if _, err := s.DB.Exec(ctx, "DELETE FROM verification_codes WHERE account_id = ? AND created_at < ?", in.AccountID, now.Add(-keep)); err != nil {
		return err
	}
	var sends int
	if _, err := s.DB.QueryRow(ctx, []any{&sends}, "SELECT COUNT(*) FROM verification_codes WHERE account_id = ? AND created_at > ?", in.AccountID, now.Add(-day)); err != nil {
		return err
	}
	if sends >= s.SendsPerDay {
		return fault.New("TOO_MANY_ATTEMPTS").With("case", "day")
	}
	return nil
}

func digits(n int) (string, error) {
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
	code, err := rand.Int(rand.Reader, limit)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%0*d", n, code), nil
}

// agreed is what a code is bound to.
type agreed struct {
	terms           []byte // nil: to nothing
	total           *money.Money
	balance, online money.Money // its parts, where there is a total
	orders          int
}

// named checks the orders and amounts of a sending, each where it is named (D2).
func (s *Service) named(ctx context.Context, currency string, in Sending) (agreed, error) {
	if in.OrderIDs == nil && in.Funding == nil {
		return agreed{}, nil
	}
	if in.OrderIDs == nil {
		if in.Scene != models.SceneCombinedPayment {
			return agreed{}, fault.New("INVALID_INPUT", "input", "funding")
		}
		return in.Funding.agreed(currency, nil)
	}
	if in.Scene != models.SceneCombinedPayment || len(in.OrderIDs) == 0 || len(in.OrderIDs) > s.Policy.MergeMaximum() {
		return agreed{}, fault.New("INVALID_INPUT", "input", "orderIds")
	}
	paying, err := s.Orders.ForPayment(ctx, in.AccountID, in.OrderIDs)
	if err != nil {
		return agreed{}, err
	}
	orders, err := all(paying, in.OrderIDs)
	if err != nil {
		return agreed{}, err
	}
	ids := make([]models.ID, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	if in.Funding == nil {
		return agreed{terms: terms(ids), orders: len(ids)}, nil
	}
	return in.Funding.agreed(currency, orders)
}

// all are the orders that were named, each of which has to be there, and those linked to them.
func all(p order.Paying, named []models.ID) ([]models.Order, error) {
	there := map[models.ID]bool{}
	for _, o := range p.Asked {
		there[o.ID] = true
	}
	for i, id := range named {
		if !there[id] {
			return nil, fault.New("ORDER_NOT_FOUND", "input", "orderIds", fmt.Sprint(i))
		}
	}
	return append(append([]models.Order{}, p.Asked...), p.Linked...), nil
}
