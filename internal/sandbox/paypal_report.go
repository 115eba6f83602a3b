package sandbox

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"paydesk/models"
)

// paypalTime is how reports write times.
const paypalTime = "2006-01-02T15:04:05-0700"

// paypalMost is how many transactions a report has at most.
const paypalMost = 10_000

// paypalReport lists what moved between two moments, both counted in, to the second.
func (s *Sandbox) paypalReport(k *paypalKeys, r *http.Request, _ []byte) (paypalAnswer, error) {
	q := r.URL.Query()
	from, err := time.Parse(time.RFC3339, q.Get("start_date"))
	to, err2 := time.Parse(time.RFC3339, q.Get("end_date"))
	size, n := 100, 1
	for name, into := range map[string]*int{"page_size": &size, "page": &n} {
		if v, err := strconv.Atoi(q.Get(name)); err == nil {
			*into = v
		}
	}
	if err != nil || err2 != nil || to.Before(from) || to.Sub(from) > 31*24*time.Hour || size < 1 || size > 500 || n < 1 {
		return paypalInvalid("INVALID_PARAMETER_VALUE"), nil
	}
	all, err := s.paypalTransactions(r, from, to.Add(time.Second))
	if err != nil {
		return paypalAnswer{}, err
	}
	if len(all) > paypalMost {
		return paypalInvalid("RESULTSET_TOO_LARGE"), nil
	}
	pages := max(1, (len(all)+size-1)/size)
	shown := all[min(len(all), (n-1)*size):min(len(all), n*size)]
	return paypalAnswer{http.StatusOK, map[string]any{"transaction_details": shown, "account_number": k.MerchantID, "start_date": from.Format(paypalTime), "end_date": to.Format(paypalTime),
		"last_refreshed_datetime": s.clock.Now().Format(paypalTime), "page": n, "total_items": len(all), "total_pages": pages, "links": []any{}}}, nil
}

// paypalTransactions are the payments (T0006), refunds (T1107) and reversals (T1106) of a span, in their order.
func (s *Sandbox) paypalTransactions(r *http.Request, from, to time.Time) ([]any, error) {
	trades, refunds, err := s.booked(r.Context(), models.ChannelPayPal, from, to)
	if err != nil {
		return nil, err
	}
	type entry struct {
		at   time.Time
		info map[string]any
	}
	var all []entry
	add := func(at time.Time, id, code, related, relatedAs, invoice, custom string, status string, amount, fee int64, currency string) {
		all = append(all, entry{at, map[string]any{"paypal_account_id": "PAYER", "transaction_id": id, "paypal_reference_id": related, "paypal_reference_id_type": relatedAs, "transaction_event_code": code,
			"transaction_initiation_date": at.Format(paypalTime), "transaction_updated_date": at.Format(paypalTime), "transaction_amount": paypalAmount(amount, currency),
			"fee_amount": paypalAmount(-fee, currency), "transaction_status": status, "invoice_id": invoice, "custom_field": custom}})
	}
	for _, t := range trades {
		state := map[status]string{reviewing: "P", denied: "D"}[t.Status]
		if state == "" {
			state = "S"
		}
		if t.Refunded == t.Amount {
			state = "V"
		}
		add(*t.BookedAt, paypalCaptureID(t.Reference), "T0006", t.Reference, "ODR", t.Number, t.Number, state, t.Amount, paypalFee(t.Amount, t.Currency), t.Currency)
	}
	for _, x := range refunds {
		t, err := s.find(r.Context(), x.Channel, x.Trade)
		if err != nil {
			return nil, err
		}
		code, names := "T1107", t.Detail.Refunds[x.Number]
		if strings.HasPrefix(x.Number, paypalReversed) {
			code, names = "T1106", paypalNames{t.Number, t.Number}
		}
		add(*x.BookedAt, x.Reference, code, paypalCaptureID(t.Reference), "TXN", names.Invoice, names.Custom, "S", -x.Amount, 0, t.Currency)
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.info["transaction_id"].(string), b.info["transaction_id"].(string)))
	})
	out := make([]any, len(all))
	for i, e := range all {
		out[i] = map[string]any{"transaction_info": e.info}
	}
	return out, nil
}
