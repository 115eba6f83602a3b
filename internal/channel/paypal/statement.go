package paypal

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"net/url"
	"slices"
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
	pageSize = 500 // transactions; PayPal gives no more
	maxPages = 20  // of one span; PayPal gives no more
	shortest = time.Minute
	maxDay   = 64 << 20         // bytes of a day's pages
	patience = 15 * time.Minute // for all of them
	stamp    = "2006-01-02T15:04:05Z"
)

// codes of transactions that move a payer's money.
const (
	paidCode     = "T0006" // checkout
	vaultedCode  = "T0003" // by an agreement of the payer
	refundedCode = "T1107"
)

// back are the groups of what is taken back past us: reversals, holds for disputes, chargebacks and what follows them. What else moves the
// merchant's balance is not ours: own are those of these groups that are about fees, our bank and mass payments.
var (
	back = []string{"T11", "T12"}
	own  = []string{"T1101", "T1104", "T1108", "T1109", "T1114", "T1115"}
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
		Status    string `json:"transaction_status"` // S done, P pending, D denied, V done and reversed since, by a transaction of its own
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
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	from, to := a.StatementDay(day)
	r := report{Statement: channel.Statement{Day: day}, from: from, end: to, sum: sha256.New()}
	if err := a.list(ctx, from, to, &r); err != nil {
		return channel.Statement{}, err
	}
	r.Hash = hex.EncodeToString(r.sum.Sum(nil))
	return r.Statement, nil
}

// report is a statement as it grows.
type report struct {
	channel.Statement
	from, end time.Time // of the day
	sum       hash.Hash
	read      int // bytes
}

// list reads the transactions of a span, in halves where PayPal has too many for one answer.
func (a *Adapter) list(ctx context.Context, from, to time.Time, out *report) error {
	for n, pages := 1, 1; n <= pages; n++ {
		p, size, err := a.page(ctx, from, to, n)
		code, _ := refusal(err)
		if n == 1 && (code == "RESULTSET_TOO_LARGE" || p.Pages > maxPages) && to.Sub(from) > shortest { // later, earlier pages would come twice
			middle := from.Add(to.Sub(from) / 2).Truncate(time.Second)
			if err := a.list(ctx, from, middle, out); err != nil {
				return err
			}
			return a.list(ctx, middle, to, out)
		}
		if err != nil {
			return askError(err)
		}
		if at, err := when(p.Refreshed); err != nil || at.Before(out.end) {
			return fmt.Errorf("%w: paypal has counted until %.30q", channel.ErrNoStatement, p.Refreshed)
		}
		if pages, out.read = p.Pages, out.read+size; pages > maxPages || out.read > maxDay {
			return fmt.Errorf("%w: paypal tells of %d pages, after %d bytes", channel.ErrUnknown, pages, out.read)
		}
		for _, raw := range p.Transactions {
			out.sum.Write(raw)
			if err := out.add(raw); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Adapter) page(ctx context.Context, from, to time.Time, n int) (p page, size int, err error) {
	ctx, cancel := context.WithTimeout(ctx, guard.FileTimeout)
	defer cancel()
	raw, err := a.reports.read(ctx, "/v1/reporting/transactions?"+url.Values{"start_date": {from.Format(stamp)}, "end_date": {to.Add(-time.Second).Format(stamp)}, // both counted in
		"fields": {"transaction_info"}, "page_size": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(n)}}.Encode())
	if err == nil {
		err = json.Unmarshal(raw, &p)
	}
	return p, len(raw), err
}

// when reads PayPal's two ways to write a zone.
func when(text string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		at, err = time.Parse("2006-01-02T15:04:05-0700", text)
	}
	return at.UTC(), err
}

// add appends what concerns a payer's money. A line that cannot be read is shown as it came, under no number; it spoils the day only where
// it has one of ours.
func (s *report) add(raw json.RawMessage) error {
	var t transaction
	err := json.Unmarshal(raw, &t)
	l, concerns := t.line()
	if err == nil && !concerns {
		return nil
	}
	if err == nil {
		err = t.read(&l)
	}
	if err != nil && channel.NamesOurs(string(raw)) {
		return fmt.Errorf("%w: paypal, transaction %.40q: %w", channel.ErrUnknown, t.Info.ID, err)
	}
	if err != nil {
		l = channel.Line{Reference: t.Info.ID, State: channel.StatePaid, At: s.from}
	}
	l.Raw = string(raw)
	s.Lines = append(s.Lines, l)
	return nil
}

// line says what a transaction is, and of what; false where it moves no payer's money.
func (t transaction) line() (channel.Line, bool) {
	i := t.Info
	out := strings.HasPrefix(i.Amount.Value, "-")
	pays := i.Code == paidCode || i.Code == vaultedCode
	switch {
	case pays && !out:
		return t.paid()
	case i.Code == refundedCode:
		return t.refunded(), true
	case pays || slices.Contains(back, i.Code[:min(3, len(i.Code))]) && !slices.Contains(own, i.Code):
		return t.takenBack(), i.Status != "D"
	}
	return channel.Line{}, false
}

func (t transaction) paid() (channel.Line, bool) {
	l := channel.Line{Number: cmp.Or(t.Info.Invoice, t.Info.Custom), Reference: t.Info.ID, State: channel.StatePaid}
	if t.Info.RelatedAs == "ODR" {
		l.Reference = t.Info.Related // the order's id, as everywhere
	}
	if t.Info.Status == "P" { // in review
		l.State = channel.StatePending
	}
	return l, t.Info.Status != "D"
}

// refunded: one made by hand at PayPal bears no number of ours, but the payment's perhaps.
func (t transaction) refunded() channel.Line {
	i := t.Info
	l := channel.Line{Reference: i.ID, State: channel.StateRefundFailed}
	l.Number, l.RefundNumber = numbersOf(i.Custom)
	if i.Custom == "" {
		l.RefundNumber = i.Invoice
	}
	if l.RefundNumber == "" {
		l.RefundNumber = strings.ToUpper(i.ID)
	}
	switch i.Status {
	case "S":
		l.State = channel.StateRefunded
	case "P":
		l.State = channel.StatePending
	}
	return l
}

// takenBack is what PayPal or a bank did with a payer's money past us, or undid: shown under its own number.
func (t transaction) takenBack() channel.Line {
	i := t.Info
	l := channel.Line{RefundNumber: strings.ToUpper(i.ID), Reference: i.ID, State: channel.StateRefunded}
	if l.Number, _ = numbersOf(i.Custom); l.Number == "" {
		l.Number = i.Invoice
	}
	if i.Status == "P" {
		l.State = channel.StatePending
	}
	return l
}

// read reads the moment and the amounts, which are above zero whatever their direction.
func (t transaction) read(l *channel.Line) (err error) {
	if l.At, err = when(t.Info.At); err != nil {
		return err
	}
	if l.Amount, err = t.Info.Amount.money(); err != nil {
		return err
	}
	l.Amount.Minor = max(l.Amount.Minor, -l.Amount.Minor)
	if l.Fee = money.Zero(l.Amount.Currency); t.Info.Fee.Value != "" {
		l.Fee, err = t.Info.Fee.money()
		l.Fee.Minor = -l.Fee.Minor
	}
	return err
}
