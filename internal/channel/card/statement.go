package card

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/stripe/stripe-go/v85"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// perPage is how many movements Stripe is asked for at a time (100 at most), and maxPages how many times at most.
const (
	perPage  = 100
	maxPages = 5000
)

// StatementDay is a calendar day in UTC, as Stripe's reports have it.
func (a *Adapter) StatementDay(day channel.Day) (from, to time.Time) { return day.In(time.UTC) }

// Statement lists the balance transactions of a day. It is not ready before the day is over by Stripe's own clock. Movements that are neither
// a payment nor a refund (payouts, Stripe's fees, disputes) are no lines.
func (a *Adapter) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	from, to := a.StatementDay(day)
	out, sum := channel.Statement{Day: day}, sha256.New()
	q := &stripe.BalanceTransactionListParams{CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThan: to.Unix()}, Expand: stripe.StringSlice([]string{"data.source"})}
	q.Limit, q.Single = stripe.Int64(perPage), true
	for range maxPages {
		page := a.movements(ctx, q)
		if err := page.Err(); err != nil {
			return channel.Statement{}, askError(err)
		}
		if now, err := http.ParseTime(page.LastResponse().Header.Get("Date")); err != nil || now.Before(to) {
			return channel.Statement{}, channel.ErrNoStatement
		}
		sum.Write(page.LastResponse().RawJSON)
		for _, m := range page.Data() {
			l, ok, err := line(m)
			if err != nil {
				return channel.Statement{}, err
			}
			if ok {
				out.Lines = append(out.Lines, l)
			}
			q.StartingAfter = &m.ID
		}
		if !page.Meta().HasMore || len(page.Data()) == 0 {
			out.Hash = hex.EncodeToString(sum.Sum(nil))
			return out, nil
		}
	}
	return channel.Statement{}, fmt.Errorf("%w: card statement of more than %d pages", channel.ErrUnknown, maxPages)
}

// movements reads one page.
func (a *Adapter) movements(ctx context.Context, q *stripe.BalanceTransactionListParams) *stripe.V1List[*stripe.BalanceTransaction] {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	return a.files.V1BalanceTransactions.List(ctx, q)
}

// line is a movement as the product knows it; false for one that is neither payment nor refund. Amounts are those of the charge or refund
// itself: the movement's own is in the currency that Stripe pays out in.
func line(m *stripe.BalanceTransaction) (channel.Line, bool, error) {
	l := channel.Line{At: time.Unix(m.Created, 0).UTC(), Fee: amount(m.Fee, m.Currency)}
	switch m.Type {
	case stripe.BalanceTransactionTypeCharge, stripe.BalanceTransactionTypePayment:
		if m.Source == nil || m.Source.Charge == nil {
			return l, false, fmt.Errorf("%w: card movement %s without its charge", channel.ErrUnknown, m.ID)
		}
		c := m.Source.Charge
		l.State, l.Number, l.Amount, l.Reference = channel.StatePaid, c.Metadata[metaNumber], amount(c.AmountCaptured, c.Currency), c.ID
		if c.PaymentIntent != nil {
			l.Reference = c.PaymentIntent.ID
		}
	case stripe.BalanceTransactionTypeRefund, stripe.BalanceTransactionTypePaymentRefund, stripe.BalanceTransactionTypeRefundFailure, stripe.BalanceTransactionTypePaymentFailureRefund:
		if m.Source == nil || m.Source.Refund == nil {
			return l, false, fmt.Errorf("%w: card movement %s without its refund", channel.ErrUnknown, m.ID)
		}
		r := m.Source.Refund
		l.State, l.Number, l.RefundNumber, l.Amount, l.Reference = channel.StateRefunded, r.Metadata[metaPayment], r.Metadata[metaNumber], amount(r.Amount, r.Currency), r.ID
		if m.Amount > 0 { // it came back
			l.State = channel.StateRefundFailed
		}
	default:
		return l, false, nil
	}
	var err error
	l.Raw, err = evidence(m)
	return l, true, err
}

// evidence is the movement as it came, without what it expands to: that has the holder's name and address.
func evidence(m *stripe.BalanceTransaction) (string, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(m.LastResponse.RawJSON, &fields); err != nil {
		return "", fmt.Errorf("%w: card movement %s is unreadable", channel.ErrUnknown, m.ID)
	}
	fields["source"], _ = json.Marshal(m.Source.ID)
	text, err := json.Marshal(fields)
	return string(text), err
}
