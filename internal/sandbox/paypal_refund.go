package sandbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"time"

	"paydesk/models"
)

// paypalNames are the merchant's names of a refund. An invoice_id is taken for one refund of a capture only.
type paypalNames struct {
	Custom  string `json:"custom,omitempty"`
	Invoice string `json:"invoice,omitempty"`
}

var paypalCustom = regexp.MustCompile(`^[A-Za-z0-9_.,-]{0,127}$`)

// paypalRefund sends money of a capture back; the same PayPal-Request-Id again is the same refund as it now stands.
func (s *Sandbox) paypalRefund(k *paypalKeys, r *http.Request, body []byte) (paypalAnswer, error) {
	var in struct {
		Amount  paypalMoney `json:"amount"`
		Custom  string      `json:"custom_id"`
		Invoice string      `json:"invoice_id"`
		Note    string      `json:"note_to_payer"`
	}
	key := r.Header.Get("PayPal-Request-Id")
	if err := json.Unmarshal(body, &in); err != nil || key == "" || !paypalCustom.MatchString(in.Custom) || len(in.Invoice) > 127 || len([]rune(in.Note)) > 255 {
		return paypalInvalid("INVALID_PARAMETER_SYNTAX"), nil
	}
	t, found, err := s.paypalFind(r.Context(), paypalOrderID(r.PathValue("id")))
	if err != nil || !found || t.Status != paid && t.Status != reviewing || r.PathValue("id") != paypalCaptureID(t.Reference) {
		return paypalUnknown(), err
	}
	sum, ok := in.Amount.minor()
	switch {
	case t.Status == reviewing:
		return paypalUnprocessable("PENDING_CAPTURE"), nil
	case !ok || in.Amount.Currency != t.Currency:
		return paypalUnprocessable("CURRENCY_MISMATCH"), nil
	}
	made, err := s.paypalGiveBack(r.Context(), t, paypalNames{in.Custom, in.Invoice}, refund{Channel: models.ChannelPayPal, Number: key, Trade: t.Number, Reference: paypalID("1"), Amount: sum, Reason: in.Note})
	switch {
	case errors.Is(err, errInvoiceUsed):
		return paypalUnprocessable("DUPLICATE_INVOICE_ID"), nil
	case errors.Is(err, errTooMuch) && t.Refunded == t.Amount:
		return paypalUnprocessable("CAPTURE_FULLY_REFUNDED"), nil
	case errors.Is(err, errTooMuch):
		return paypalUnprocessable("REFUND_AMOUNT_EXCEEDED"), nil
	case errors.Is(err, errDifferent):
		return paypalUnprocessable("DUPLICATE_REQUEST_ID"), nil
	case err != nil:
		return paypalAnswer{}, err
	}
	if t, err = s.find(r.Context(), t.Channel, t.Number); err != nil {
		return paypalAnswer{}, err
	}
	return paypalAnswer{http.StatusCreated, paypalRefundOf(k, t, made, wall())}, nil
}

var errInvoiceUsed = errors.New("sandbox: another refund has this invoice_id")

// paypalGiveBack takes a refund into the books under the merchant's names of it.
func (s *Sandbox) paypalGiveBack(ctx context.Context, t trade, names paypalNames, r refund) (made refund, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if _, err := s.db.Exec(ctx, "UPDATE sandbox_trades SET scanned_at = COALESCE(scanned_at, ?) WHERE channel = ? AND number = ?", wall(), string(t.Channel), t.Number); err != nil {
			return err
		}
		now, err := s.find(ctx, t.Channel, t.Number)
		if err != nil {
			return err
		}
		for key, other := range now.Detail.Refunds {
			if key != r.Number && names.Invoice != "" && other.Invoice == names.Invoice {
				return errInvoiceUsed
			}
		}
		if _, known := now.Detail.Refunds[r.Number]; !known {
			now.Detail.Refunds = maps.Clone(now.Detail.Refunds)
			if now.Detail.Refunds == nil {
				now.Detail.Refunds = map[string]paypalNames{}
			}
			now.Detail.Refunds[r.Number] = names
			if err := s.note(ctx, now); err != nil {
				return err
			}
		}
		made, _, err = s.giveBack(ctx, r)
		return err
	})
	return made, err
}

func (s *Sandbox) paypalQueryRefund(k *paypalKeys, r *http.Request, _ []byte) (paypalAnswer, error) {
	made, err := s.readRefund(r.Context(), "channel = ? AND reference = ?", string(models.ChannelPayPal), r.PathValue("id"))
	if errors.Is(err, errNoTrade) {
		return paypalUnknown(), nil
	}
	if err != nil {
		return paypalAnswer{}, err
	}
	t, err := s.find(r.Context(), models.ChannelPayPal, made.Trade)
	return paypalAnswer{http.StatusOK, paypalRefundOf(k, t, made, wall())}, err
}

// paypalRefundsOf are the refunds that an order shows.
func (s *Sandbox) paypalRefundsOf(ctx context.Context, k *paypalKeys, t trade) (out []any, err error) {
	err = s.db.Query(ctx, func(rows *sql.Rows) error {
		var r refund
		err := rows.Scan(r.into()...)
		out = append(out, paypalRefundOf(k, t, r, wall()))
		return err
	}, "SELECT "+refundColumns+" FROM sandbox_refunds WHERE channel = ? AND number = ? ORDER BY created_at, refund_number", string(t.Channel), t.Number)
	return out, err
}

func paypalRefundStatus(state status) string {
	switch state {
	case refundDone:
		return "COMPLETED"
	case refundFailed:
		return "FAILED"
	}
	return "PENDING"
}

// paypalRefundOf is a refund as it stands at a moment. Its payer is who gives the money back: the merchant. A reversal is one that bears no
// names.
func paypalRefundOf(k *paypalKeys, t trade, r refund, now time.Time) map[string]any {
	link := func(rel, path string) map[string]string {
		return map[string]string{"rel": rel, "href": t.Detail.Home + path}
	}
	out := map[string]any{"id": r.Reference, "status": paypalRefundStatus(r.at(now)), "amount": paypalAmount(r.Amount, t.Currency),
		"note_to_payer": r.Reason, "create_time": r.CreatedAt.Format(time.RFC3339), "update_time": r.CreatedAt.Format(time.RFC3339),
		"payer": map[string]string{"email_address": "merchant@sandbox.example", "merchant_id": k.MerchantID},
		"links": []any{link("self", "/v2/payments/refunds/"+r.Reference), link("up", "/v2/payments/captures/"+paypalCaptureID(t.Reference))}}
	names := t.Detail.Refunds[r.Number]
	if names.Custom != "" {
		out["custom_id"] = names.Custom
	}
	if names.Invoice != "" {
		out["invoice_id"] = names.Invoice
	}
	return out
}
