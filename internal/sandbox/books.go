package sandbox

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"paydesk/models"
)

// status is where a trade stands in the sandbox's books.
type status string

const (
	created  status = "CREATED"  // a QR code that nobody has scanned (Alipay knows no trade yet)
	waiting  status = "WAITING"  // known to the payer's app, unpaid
	approved status = "APPROVED" // the payer agreed and the merchant has not taken it yet
	paid     status = "PAID"     // money has come; never left
	closed   status = "CLOSED"   // by the merchant
	declined status = "DECLINED" // by the payer or the payer's bank
	expired  status = "EXPIRED"  // never stored: unpaid at its end, by the product's clock
)

// trade is a row of sandbox_trades. Amount in minor units. Times on the wall clock, ExpiresAt on the product's.
type trade struct {
	Channel   models.PaymentChannel
	Number    string
	Token     string // of the payer's page
	Reference string // the provider's own number
	Amount    int64
	Currency  string
	Subject   string
	Status    status
	NotifyURL string
	ExpiresAt *time.Time
	ScannedAt *time.Time
	PaidAt    *time.Time
	PaidLate  bool
	ClosedAt  *time.Time
	Refunded  int64 // what has gone back, or is on its way
	CreatedAt time.Time
	Detail    detail
	BookedAt  *time.Time // when it was paid, on the product's clock: the day of its statement
}

// detail is what only some protocols know of a trade.
type detail struct {
	Bank      string `json:"bank,omitempty"`    // chosen by the merchant, or by the payer on our page
	ReturnURL string `json:"return,omitempty"`  // where the payer's browser goes afterwards
	Token     string `json:"token,omitempty"`   // of a card
	Failure   string `json:"failure,omitempty"` // why it was declined, in the provider's words
	MadeAt    string `json:"made,omitempty"`    // the request's own time, where the protocol goes by it
	Payer     string `json:"payer,omitempty"`   // who paid, as the provider shows it
	Country   string `json:"country,omitempty"` // of the payer's account
	Capture   string `json:"capture,omitempty"` // the provider's number of the taking, where it has one of its own
	Home      string `json:"home,omitempty"`    // where the merchant calls the provider, for addresses in answers
	Asked     bool   `json:"asked,omitempty"`   // the issuer wants 3-D Secure
	Manual    bool   `json:"manual,omitempty"`  // only the merchant's server confirms, after 3-D Secure again
	Request   string `json:"request,omitempty"` // digest of the request that made it, for its idempotency key
	Payload   string `json:"payload,omitempty"` // what the merchant is told again with its refund

	Metadata map[string]string      `json:"metadata,omitempty"` // what the merchant has put on a card payment
	Refunds  map[string]paypalNames `json:"refunds,omitempty"`  // PayPal: what the merchant calls its refunds, by their PayPal-Request-Ids
}

// at is the status at a moment of the product's clock.
func (t trade) at(now time.Time) status {
	if (t.Status == created || t.Status == waiting || t.Status == approved) && t.ExpiresAt != nil && !now.Before(*t.ExpiresAt) {
		return expired
	}
	return t.Status
}

var errNoTrade = errors.New("sandbox: no such trade")

const tradeColumns = "channel, number, token, reference, amount, currency, subject, status, notify_url, " +
	"expires_at, scanned_at, paid_at, paid_late, closed_at, created_at, refunded, detail, booked_at"

func (s *Sandbox) find(ctx context.Context, c models.PaymentChannel, number string) (trade, error) {
	return s.readTrade(ctx, "channel = ? AND number = ?", string(c), number)
}

func (s *Sandbox) findByToken(ctx context.Context, token string) (trade, error) {
	return s.readTrade(ctx, "token = ?", token)
}

func (s *Sandbox) readTrade(ctx context.Context, where string, args ...any) (trade, error) {
	var t trade
	found, err := s.db.QueryRow(ctx, t.into(),
		"SELECT "+tradeColumns+" FROM sandbox_trades WHERE "+where, args...)
	if err == nil && !found {
		err = errNoTrade
	}
	return t, err
}

// register opens a trade, or finds the one that has the number already.
func (s *Sandbox) register(ctx context.Context, t trade) (trade, error) {
	t.Token, t.CreatedAt = newToken(), wall()
	_, failed := s.db.Exec(ctx, "INSERT INTO sandbox_trades ("+tradeColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,?,NULL)",
		string(t.Channel), t.Number, t.Token, t.Reference, t.Amount, t.Currency, t.Subject, string(t.Status), t.NotifyURL,
		t.ExpiresAt, nil, nil, 0, nil, t.CreatedAt, t.Detail)
	if failed == nil {
		return t, nil
	}
	// Whatever the engine calls a duplicate: if the trade is there, it was registered before.
	if old, err := s.find(ctx, t.Channel, t.Number); err == nil {
		return old, nil
	}
	return trade{}, failed
}

// scanned notes that a payer has opened the code; only then does Alipay know a trade.
func (s *Sandbox) scanned(ctx context.Context, t trade) error {
	_, err := s.db.Exec(ctx, "UPDATE sandbox_trades SET status = 'WAITING', scanned_at = ? "+
		"WHERE channel = ? AND number = ? AND status = 'CREATED'", wall(), string(t.Channel), t.Number)
	return err
}

// into are where a row of tradeColumns goes.
func (t *trade) into() []any {
	return []any{&t.Channel, &t.Number, &t.Token, &t.Reference, &t.Amount, &t.Currency, &t.Subject, &t.Status, &t.NotifyURL, &t.ExpiresAt, &t.ScannedAt,
		&t.PaidAt, &t.PaidLate, &t.ClosedAt, &t.CreatedAt, &t.Refunded, &t.Detail, &t.BookedAt}
}

// Value stores details as JSON.
func (d detail) Value() (driver.Value, error) {
	text, err := json.Marshal(d)
	return string(text), err
}

// Scan reads details.
func (d *detail) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(v, d)
	case string:
		return json.Unmarshal([]byte(v), d)
	}
	return fmt.Errorf("sandbox: details from %T", src)
}

// findByReference reads a trade by the provider's own number.
func (s *Sandbox) findByReference(ctx context.Context, c models.PaymentChannel, reference string) (trade, error) {
	return s.readTrade(ctx, "channel = ? AND reference = ?", string(c), reference)
}

// note writes a trade's details.
func (s *Sandbox) note(ctx context.Context, t trade) error {
	_, err := s.db.Exec(ctx, "UPDATE sandbox_trades SET detail = ? WHERE channel = ? AND number = ?", t.Detail, string(t.Channel), t.Number)
	return err
}

// booked are the trades that were paid, and the refunds that were done and are not on their way any more, in a span of the product's
// clock: what a statement tells.
func (s *Sandbox) booked(ctx context.Context, c models.PaymentChannel, from, to time.Time) (trades []trade, refunds []refund, err error) {
	err = s.db.Query(ctx, func(r *sql.Rows) error {
		var t trade
		err := r.Scan(t.into()...)
		trades = append(trades, t)
		return err
	}, "SELECT "+tradeColumns+" FROM sandbox_trades WHERE channel = ? AND booked_at >= ? AND booked_at < ? ORDER BY booked_at, number", string(c), from, to)
	if err != nil {
		return nil, nil, err
	}
	refunds, err = s.refundsOf(ctx, c, from, to, "outcome = 'SUCCEEDED' AND ready_at <= ?")
	return trades, refunds, err
}

// onTheWay are the refunds asked for in a span of the product's clock that have left the merchant and not reached the payer.
func (s *Sandbox) onTheWay(ctx context.Context, c models.PaymentChannel, from, to time.Time) ([]refund, error) {
	return s.refundsOf(ctx, c, from, to, "(outcome = 'HELD' OR outcome = 'SUCCEEDED' AND ready_at > ?)")
}

// refundsOf are those of a span; state has a place for this moment of the wall clock.
func (s *Sandbox) refundsOf(ctx context.Context, c models.PaymentChannel, from, to time.Time, state string) (refunds []refund, err error) {
	err = s.db.Query(ctx, func(r *sql.Rows) error {
		var x refund
		err := r.Scan(x.into()...)
		refunds = append(refunds, x)
		return err
	}, "SELECT "+refundColumns+" FROM sandbox_refunds WHERE channel = ? AND booked_at >= ? AND booked_at < ? AND "+state+" ORDER BY booked_at, refund_number", string(c), from, to, wall())
	return refunds, err
}

// closeTrade ends an unpaid trade for the merchant; false: it was not open any more.
func (s *Sandbox) closeTrade(ctx context.Context, t trade) (bool, error) {
	n, err := s.db.Exec(ctx, "UPDATE sandbox_trades SET status = 'CLOSED', closed_at = ? "+
		"WHERE channel = ? AND number = ? AND status IN ('CREATED', 'WAITING', 'APPROVED')", wall(), string(t.Channel), t.Number)
	if err == nil && n > 0 && behaviourIn(ctx).Call == paidAfterClose {
		t.Status = closed
		_, err = s.pay(ctx, t, true)
	}
	return n > 0, err
}

// pay takes the payer's money. Late, it also takes it for a trade that the merchant has closed or that has expired, as
// happens to a payer who was just paying. False: the trade cannot be paid.
func (s *Sandbox) pay(ctx context.Context, t trade, late bool) (bool, error) {
	set := "UPDATE sandbox_trades SET status = 'PAID', paid_at = ?, scanned_at = COALESCE(scanned_at, ?), paid_late = ?, booked_at = ? " +
		"WHERE channel = ? AND number = ? AND "
	now := wall()
	product := s.clock.Now()
	args := []any{now, now, 0, product, string(t.Channel), t.Number}
	open := "status IN ('CREATED', 'WAITING', 'APPROVED') AND (expires_at IS NULL OR expires_at > ?)"
	if late {
		open = "status IN ('CREATED', 'WAITING', 'APPROVED', 'CLOSED')"
		if t.at(product) == closed || t.at(product) == expired {
			args[2] = 1
		}
	} else {
		args = append(args, product)
	}
	return s.turn(ctx, t, paid, set+open, args...)
}

// decline says no for the payer: the trade is over.
func (s *Sandbox) decline(ctx context.Context, t trade) (bool, error) {
	now := wall()
	return s.turn(ctx, t, declined, "UPDATE sandbox_trades SET status = 'DECLINED', closed_at = ?, "+
		"scanned_at = COALESCE(scanned_at, ?) WHERE channel = ? AND number = ? AND status IN ('CREATED', 'WAITING', 'APPROVED') "+
		"AND (expires_at IS NULL OR expires_at > ?)", now, now, string(t.Channel), t.Number, s.clock.Now())
}

// approve notes that the payer agrees; the merchant may take the money.
func (s *Sandbox) approve(ctx context.Context, t trade) (bool, error) {
	return s.turn(ctx, t, approved, "UPDATE sandbox_trades SET status = 'APPROVED', scanned_at = COALESCE(scanned_at, ?) WHERE channel = ? AND number = ? "+
		"AND status IN ('CREATED', 'WAITING') AND (expires_at IS NULL OR expires_at > ?)", wall(), string(t.Channel), t.Number, s.clock.Now())
}

// turn changes a trade's status and, in the same transaction, writes what has to be notified.
func (s *Sandbox) turn(ctx context.Context, t trade, to status, update string, args ...any) (bool, error) {
	var done bool
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		n, err := s.db.Exec(ctx, update, args...)
		done = n > 0
		if err != nil || !done {
			return err
		}
		t, err := s.find(ctx, t.Channel, t.Number)
		if err != nil {
			return err
		}
		return s.notify(ctx, t, to)
	})
	if err == nil && done {
		s.wakeUp()
	}
	return done && err == nil, err
}

// newToken is 128 random bits that may stand in an address.
func newToken() string {
	b := make([]byte, 16)
	rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// newReference is a provider's trade number: the day, then random digits, 28 in all.
func newReference(prefix string) string {
	head := prefix + time.Now().UTC().Format("20060102")
	return head + digits(28-len(head))
}
