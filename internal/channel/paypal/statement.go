package paypal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"net/url"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// StatementDay is a calendar day in UTC.
func (a *Adapter) StatementDay(day channel.Day) (from, to time.Time) { return day.In(time.UTC) }

const (
	pageSize = 500  // transactions; PayPal gives no more
	maxPages = 1000 // of one span; PayPal gives 20 at most
	shortest = time.Minute
	stamp    = "2006-01-02T15:04:05Z"
)

// codes of transactions that move a payer's money; what else moves the merchant's balance (fees, conversions, withdrawals) is not ours.
const (
	paidCode     = "T0006" // checkout
	vaultedCode  = "T0003" // by an agreement of the payer
	refundedCode = "T1107"
)

// transaction is what is read of /v1/reporting/transactions.
type transaction struct {
	Info struct {
		ID        string `json:"transaction_id"`
		Related   string `json:"paypal_reference_id"`
		RelatedAs string `json:"paypal_reference_id_type"` // ODR: an order
		Code      string `json:"transaction_event_code"`
		At        string `json:"transaction_initiation_date"`
		Amount    amount `json:"transaction_amount"` // below zero for what went out
		Fee       amount `json:"fee_amount"`         // below zero for what PayPal took
		Status    string `json:"transaction_status"` // S done, P pending, D denied, V reversed
		Invoice   string `json:"invoice_id"`
		Custom    string `json:"custom_field"`
	} `json:"transaction_info"`
}

type page struct {
	Transactions []json.RawMessage `json:"transaction_details"`
	Pages        int               `json:"total_pages"`
	Refreshed    string            `json:"last_refreshed_datetime"` // what came later is not in it yet
}

// Statement lists a day's payments and refunds. It is there once PayPal has counted beyond the day's end. The hash is over the
// transactions as they came, page by page.
func (a *Adapter) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	from, to := a.StatementDay(day)
	out, sum := channel.Statement{Day: day}, sha256.New()
	if err := a.list(ctx, from, to, to, &out, sum); err != nil {
		return channel.Statement{}, err
	}
	out.Hash = hex.EncodeToString(sum.Sum(nil))
	return out, nil
}

// list reads the transactions of a span, in halves where PayPal has too many for one answer.
func (a *Adapter) list(ctx context.Context, from, to, end time.Time, out *channel.Statement, sum hash.Hash) error {
	for n, pages := 1, 1; n <= pages; n++ {
		p, err := a.page(ctx, from, to, n)
		if code, ok := refusal(err); ok && code == "RESULTSET_TOO_LARGE" && n == 1 && to.Sub(from) > shortest { // later, earlier pages would come twice
			middle := from.Add(to.Sub(from) / 2).Truncate(time.Second)
			if err := a.list(ctx, from, middle, end, out, sum); err != nil {
				return err
			}
			return a.list(ctx, middle, to, end, out, sum)
		}
		if err != nil {
			return askError(err)
		}
		if at, err := when(p.Refreshed); err != nil || at.Before(end) {
			return fmt.Errorf("%w: paypal has counted until %.30q", channel.ErrNoStatement, p.Refreshed)
		}
		if pages = p.Pages; pages > maxPages {
			return fmt.Errorf("%w: paypal tells of %d pages", channel.ErrUnknown, pages)
		}
		for _, raw := range p.Transactions {
			sum.Write(raw)
			if err := add(out, raw); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Adapter) page(ctx context.Context, from, to time.Time, n int) (p page, err error) {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	raw, err := a.read(ctx, "/v1/reporting/transactions?"+url.Values{"start_date": {from.Format(stamp)}, "end_date": {to.Add(-time.Second).Format(stamp)}, // both counted in
		"fields": {"transaction_info"}, "page_size": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(n)}}.Encode())
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	return p, err
}

// when reads PayPal's two ways to write a zone.
func when(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04:05-0700", text)
	}
	return at.UTC(), err
}

// add appends what concerns a payment or a refund.
func add(s *channel.Statement, raw json.RawMessage) error {
	var t transaction
	err := json.Unmarshal(raw, &t)
	i := t.Info
	refunded := i.Code == refundedCode
	if err == nil && !refunded && (i.Code != paidCode && i.Code != vaultedCode || i.Status != "S" && i.Status != "V") {
		return nil // not a payment, or one that took no money
	}
	l := channel.Line{Number: i.Invoice, Reference: i.ID, State: channel.StatePaid, Raw: string(raw)}
	if err == nil {
		l.At, err = when(i.At)
	}
	if err == nil {
		l.Amount, err = i.Amount.money()
	}
	if l.Fee = money.Zero(l.Amount.Currency); err == nil && i.Fee.Value != "" {
		l.Fee, err = i.Fee.money()
		l.Fee.Minor = -l.Fee.Minor
	}
	if err != nil {
		return fmt.Errorf("%w: paypal, transaction %.40q: %w", channel.ErrUnknown, i.ID, err)
	}
	if i.RelatedAs == "ODR" && !refunded {
		l.Reference = i.Related // the order's id, as everywhere
	}
	if refunded {
		l.Amount.Minor = -l.Amount.Minor
		l.State = map[string]channel.State{"S": channel.StateRefunded, "P": channel.StatePending}[i.Status]
		if l.State == "" {
			l.State = channel.StateRefundFailed
		}
		if l.RefundNumber = i.Custom; i.Custom == i.Invoice || i.Custom == "" {
			l.RefundNumber = strings.ToUpper(i.ID) // made by hand at PayPal, under no number of ours
		}
	}
	s.Lines = append(s.Lines, l)
	return nil
}
