package card

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
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

// Statement lists the balance transactions of a day. It is not ready before the day is over by Stripe's own clock. What Stripe settles with
// the merchant alone (payouts, its own fees, reserves) is no line.
func (a *Adapter) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	from, to := a.StatementDay(day)
	out, sum := channel.Statement{Day: day}, sha256.New()
	q := &stripe.BalanceTransactionListParams{CreatedRange: &stripe.RangeQueryParams{GreaterThanOrEqual: from.Unix(), LesserThan: to.Unix()},
		Expand: stripe.StringSlice([]string{"data.source", "data.source.charge"})}
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
	ctx, cancel := context.WithTimeout(ctx, guard.FileTimeout)
	defer cancel()
	return a.files.V1BalanceTransactions.List(ctx, q)
}

// own are movements between Stripe and the merchant, to which no payer has part. What is neither among them nor known below is shown: money
// that came or went for a reason that nobody here knows.
var own = []stripe.BalanceTransactionType{
	stripe.BalanceTransactionTypePayout, stripe.BalanceTransactionTypePayoutCancel, stripe.BalanceTransactionTypePayoutFailure, stripe.BalanceTransactionTypePayoutMinimumBalanceHold,
	stripe.BalanceTransactionTypePayoutMinimumBalanceRelease, stripe.BalanceTransactionTypeStripeFee, stripe.BalanceTransactionTypeStripeFxFee, stripe.BalanceTransactionTypeTaxFee,
	stripe.BalanceTransactionTypeTopup, stripe.BalanceTransactionTypeTopupReversal, stripe.BalanceTransactionTypeAdvance, stripe.BalanceTransactionTypeAdvanceFunding,
	stripe.BalanceTransactionTypeReserveTransaction, stripe.BalanceTransactionTypeReserveHold, stripe.BalanceTransactionTypeReserveRelease, stripe.BalanceTransactionTypeReservedFunds,
	stripe.BalanceTransactionTypePaymentNetworkReserveHold, stripe.BalanceTransactionTypePaymentNetworkReserveRelease,
}

// line is a movement as the product knows it; false for one that is Stripe's and the merchant's own. Amounts are those of the charge, refund
// or dispute itself: the movement's own is in the currency that Stripe pays out in. A charge or refund that came without itself might be
// ours: such a day is not to be read.
func line(m *stripe.BalanceTransaction) (channel.Line, bool, error) {
	l := channel.Line{At: time.Unix(m.Created, 0).UTC(), Fee: amount(m.Fee, m.Currency)}
	if slices.Contains(own, m.Type) {
		return l, false, nil
	}
	var err error
	if l.Raw, err = evidence(m); err != nil {
		return l, false, err
	}
	if of, ok := withdrawal(l, m); ok {
		return of, true, nil
	}
	switch {
	case m.Type == stripe.BalanceTransactionTypeCharge || m.Type == stripe.BalanceTransactionTypePayment:
		if m.Source == nil || m.Source.Charge == nil {
			return l, false, fmt.Errorf("%w: card movement %s without its charge", channel.ErrUnknown, m.ID)
		}
		charged(&l, m.Source.Charge)
	case m.Source != nil && m.Source.Refund != nil: // also as an adjustment, where it came back
		gaveBack(&l, m)
	case m.Type == stripe.BalanceTransactionTypeRefund || m.Type == stripe.BalanceTransactionTypePaymentRefund || m.Type == stripe.BalanceTransactionTypeRefundFailure:
		return l, false, fmt.Errorf("%w: card movement %s without its refund", channel.ErrUnknown, m.ID)
	default:
		unknown(&l, m)
	}
	return l, true, nil
}

func charged(l *channel.Line, c *stripe.Charge) {
	l.State, l.Number, l.Amount, l.Reference = channel.StatePaid, c.Metadata[metaNumber], amount(c.AmountCaptured, c.Currency), c.ID
	if c.PaymentIntent != nil {
		l.Reference = c.PaymentIntent.ID
	}
}

func gaveBack(l *channel.Line, m *stripe.BalanceTransaction) {
	r := m.Source.Refund
	l.State, l.Number, l.RefundNumber, l.Amount, l.Reference = channel.StateRefunded, r.Metadata[metaPayment], r.Metadata[metaNumber], amount(r.Amount, r.Currency), r.ID
	if l.RefundNumber == "" && r.Charge != nil && r.Charge.Metadata[metaNumber] != "" { // made by hand, of a payment of ours
		l.Number, l.RefundNumber = r.Charge.Metadata[metaNumber], r.ID
	}
	if m.Amount > 0 { // it came back
		l.State = channel.StateRefundFailed
	}
}

// unknown is a movement of a kind that is not known here: it says what came or went, and nothing of a payment.
func unknown(l *channel.Line, m *stripe.BalanceTransaction) {
	l.State, l.RefundNumber, l.Reference, l.Amount = channel.StatePaid, m.ID, m.ID, amount(m.Amount, m.Currency)
	if m.Amount < 0 {
		l.State, l.Amount = channel.StateRefunded, amount(-m.Amount, m.Currency)
	}
}

// evidence is the movement as it came, without what it expands to: that has the holder's name and address.
func evidence(m *stripe.BalanceTransaction) (string, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(m.LastResponse.RawJSON, &fields); err != nil {
		return "", fmt.Errorf("%w: card movement %s is unreadable", channel.ErrUnknown, m.ID)
	}
	if m.Source != nil {
		fields["source"], _ = json.Marshal(m.Source.ID)
	}
	text, err := json.Marshal(fields)
	return string(text), err
}
