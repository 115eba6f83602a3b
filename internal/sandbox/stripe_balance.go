package sandbox

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"paydesk/models"
)

// stripeBalance is GET /v1/balance_transactions: what came and went in a span of time, newest first. Days are the product's clock's, and so
// is the answer's Date.
func (s *Sandbox) stripeBalance(ctx context.Context, c stripeCall) (any, error) {
	if err := c.knows("created[gte]", "created[lt]", "limit", "starting_after"); err != nil {
		return nil, err
	}
	from, err := strconv.ParseInt(c.form.Get("created[gte]"), 10, 64)
	if err != nil {
		return nil, stripeBad("created[gte]", "Invalid timestamp")
	}
	to, err := strconv.ParseInt(c.form.Get("created[lt]"), 10, 64)
	if err != nil {
		return nil, stripeBad("created[lt]", "Invalid timestamp")
	}
	c.head.Set("Date", s.clock.Now().UTC().Format(http.TimeFormat))
	trades, refunds, err := s.booked(ctx, models.ChannelBankCard, time.Unix(from, 0).UTC(), time.Unix(to, 0).UTC())
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	for _, t := range trades {
		all = append(all, stripeBalanceCharge(t))
	}
	for _, r := range refunds {
		t, err := s.find(ctx, r.Channel, r.Trade)
		if err != nil {
			return nil, err
		}
		o := stripeBalanceRefund(t, r)
		if source := o["source"].(map[string]any); slices.Contains(c.form["expand[]"], "data.source.charge") {
			source["charge"] = stripeChargeObject(t)
		}
		all = append(all, o)
	}
	slices.SortStableFunc(all, func(a, b map[string]any) int { return int(b["created"].(int64) - a["created"].(int64)) })
	if !slices.Contains(c.form["expand[]"], "data.source") {
		for _, o := range all {
			o["source"] = o["source"].(map[string]any)["id"]
		}
	}
	return stripePage(c, "/v1/balance_transactions", all)
}

func stripeBalanceCharge(t trade) map[string]any {
	fee := (t.Amount*29+500)/1000 + 30
	return stripeMovement("charge", t.Reference, t.Amount, fee, t.Currency, *t.BookedAt, stripeChargeObject(t))
}

// stripeChargeObject is the object Charge; it has its intent's metadata.
func stripeChargeObject(t trade) map[string]any {
	return map[string]any{
		"id": chargeID(t.Reference), "object": "charge", "amount": t.Amount, "amount_captured": t.Amount, "amount_refunded": t.Refunded, "currency": strings.ToLower(t.Currency),
		"created": t.BookedAt.Unix(), "description": t.Subject, "metadata": stripeMetadata(factOf(t)), "paid": true, "captured": true, "disputed": false,
		"livemode": false, "refunded": t.Refunded == t.Amount, "payment_intent": t.Reference, "payment_method": t.Detail.Token, "status": "succeeded",
		"billing_details": map[string]any{"name": t.Detail.Payer},
	}
}

func stripeBalanceRefund(t trade, r refund) map[string]any {
	if isDispute(r) {
		return stripeBalanceDispute(t, r)
	}
	return stripeMovement("refund", r.Reference, -r.Amount, 0, t.Currency, *r.BookedAt,
		stripeRefundObject(t.Reference, t.Currency, r.Trade, refundFact{Number: r.Number, Reference: r.Reference, Amount: r.Amount, State: refundDone, At: r.CreatedAt}))
}

func stripeMovement(kind, of string, amount, fee int64, currency string, at time.Time, source map[string]any) map[string]any {
	_, tail, _ := strings.Cut(of, "_")
	return map[string]any{
		"id": "txn_" + kind[:1] + tail, "object": "balance_transaction", "type": kind, "reporting_category": kind, "amount": amount, "fee": fee, "net": amount - fee,
		"currency": strings.ToLower(currency), "created": at.Unix(), "available_on": at.Add(48 * time.Hour).Unix(), "exchange_rate": nil, "status": "pending", "source": source,
		"balance_type": "payments", "fee_details": []any{},
	}
}
