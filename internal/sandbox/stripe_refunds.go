package sandbox

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"paydesk/models"
)

// stripeNewRefund is POST /v1/refunds. Only the Idempotency-Key makes a refund the same: the merchant's number in the metadata does not.
func (s *Sandbox) stripeNewRefund(ctx context.Context, c stripeCall) (any, error) {
	if err := c.knows("payment_intent", "amount", "reason"); err != nil {
		return nil, err
	}
	t, err := s.findByReference(ctx, models.ChannelBankCard, c.form.Get("payment_intent"))
	if errors.Is(err, errNoTrade) {
		return nil, stripeMissing("payment_intent", "payment_intent")
	}
	if err != nil {
		return nil, err
	}
	r := refund{Channel: t.Channel, Number: c.form.Get("metadata[number]"), Trade: t.Number, Reference: c.named("re_"), Amount: t.Amount - t.Refunded, Reason: c.form.Get("reason"), NotifyURL: t.NotifyURL}
	if text := c.form.Get("amount"); text != "" {
		if r.Amount, err = strconv.ParseInt(text, 10, 64); err != nil || r.Amount < 1 {
			return nil, stripeBad("amount", "Invalid positive integer")
		}
	}
	if r.Number == "" {
		r.Number = r.Reference
	}
	_, disputed, err := s.movedBy(ctx, t, disputePrefix+strings.TrimPrefix(t.Reference, "pi_"))
	if err != nil {
		return nil, err
	}
	made, fresh, err := s.giveBack(ctx, r)
	if !fresh && made.Reference != r.Reference && (err == nil || errors.Is(err, errDifferent)) {
		r.Number = r.Reference
		made, _, err = s.giveBack(ctx, r)
	}
	switch {
	case errors.Is(err, errDifferent):
		return nil, &stripeRefusal{status: http.StatusBadRequest, kind: stripeIdempotency, about: "Keys for idempotent requests can only be used with the same parameters they were first used with."}
	case errors.Is(err, errUnpaid):
		return nil, stripeBad("payment_intent", "This PaymentIntent does not have a successful charge to refund.")
	case errors.Is(err, errTooMuch) && disputed:
		return nil, &stripeRefusal{status: http.StatusBadRequest, kind: stripeInvalid, code: "charge_disputed", about: "The charge has been charged back."}
	case errors.Is(err, errTooMuch) && t.Refunded == t.Amount:
		return nil, &stripeRefusal{status: http.StatusBadRequest, kind: stripeInvalid, code: "charge_already_refunded", about: "The charge has already been refunded."}
	case errors.Is(err, errTooMuch):
		return nil, stripeBad("amount", "Refund amount is greater than unrefunded amount on charge")
	case err != nil:
		return nil, err
	}
	return stripeRefundNow(t, made), nil
}

// stripeRefund is GET /v1/refunds/{id}.
func (s *Sandbox) stripeRefund(ctx context.Context, c stripeCall) (any, error) {
	r, err := s.readRefund(ctx, "channel = ? AND reference = ?", string(models.ChannelBankCard), c.PathValue("id"))
	if errors.Is(err, errNoTrade) || err == nil && isDispute(r) {
		return nil, stripeMissing("refund", "id")
	}
	if err = errors.Join(c.knows(), err); err != nil {
		return nil, err
	}
	t, err := s.find(ctx, r.Channel, r.Trade)
	return stripeRefundNow(t, r), err
}

// stripeRefunds is GET /v1/refunds: those of an intent, newest first.
func (s *Sandbox) stripeRefunds(ctx context.Context, c stripeCall) (any, error) {
	if err := c.knows("payment_intent", "limit", "starting_after"); err != nil {
		return nil, err
	}
	t, err := s.findByReference(ctx, models.ChannelBankCard, c.form.Get("payment_intent"))
	if errors.Is(err, errNoTrade) {
		return stripePage(c, "/v1/refunds", nil)
	}
	if err != nil {
		return nil, err
	}
	var all []map[string]any
	err = s.db.Query(ctx, func(rows *sql.Rows) error {
		var r refund
		err := rows.Scan(r.into()...)
		if !isDispute(r) {
			all = append(all, stripeRefundNow(t, r))
		}
		return err
	}, "SELECT "+refundColumns+" FROM sandbox_refunds WHERE channel = ? AND number = ? ORDER BY created_at DESC, refund_number", string(t.Channel), t.Number)
	if err != nil {
		return nil, err
	}
	return stripePage(c, "/v1/refunds", all)
}

func stripeRefundNow(t trade, r refund) map[string]any {
	return stripeRefundObject(t.Reference, t.Currency, r.Trade, refundFact{Number: r.Number, Reference: r.Reference, Amount: r.Amount, State: r.at(wall()), At: r.CreatedAt})
}

// stripeRefundObject is the object Refund as it stands in answers, events and balance transactions.
func stripeRefundObject(intent, currency, trade string, r refundFact) map[string]any {
	o := map[string]any{
		"id": r.Reference, "object": "refund", "amount": r.Amount, "currency": strings.ToLower(currency), "charge": chargeID(intent), "payment_intent": intent,
		"created": r.At.Unix(), "metadata": map[string]string{"number": r.Number, "payment": trade}, "reason": "requested_by_customer", "status": "pending",
	}
	if r.Number == r.Reference {
		o["metadata"] = map[string]string{}
	}
	switch r.State {
	case refundDone:
		o["status"] = "succeeded"
	case refundFailed:
		o["status"], o["failure_reason"] = "failed", "expired_or_canceled_card"
	}
	return o
}
