package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"paydesk/models"
)

// DisputesPath plays the bank of a cardholder who does not want to have paid: POST {"number":"…","turn":"open"}, then "won" or "lost".
const DisputesPath = "/sandbox/disputes"

// disputePrefix begins the number of a dispute. Its movements stand among the refunds: money that went back, though not by one; what the
// merchant wins back is below zero.
const disputePrefix = "dp_"

// disputeEnd marks the row of what its end has moved.
const disputeEnd = " ended"

func isDispute(r refund) bool { return strings.HasPrefix(r.Reference, disputePrefix) }

// disputeFact is what an event tells of a dispute.
type disputeFact struct {
	Event, ID, Status string
	Amount            int64
	At                time.Time
}

// disputeTurns are what Stripe tells at each turn, in order, and how the dispute stands then.
var disputeTurns = map[string]struct {
	status string
	events []string
}{
	"open": {"needs_response", []string{"charge.dispute.created", "charge.dispute.funds_withdrawn"}},
	"won":  {"won", []string{"charge.dispute.funds_reinstated", "charge.dispute.closed"}},
	"lost": {"lost", []string{"charge.dispute.closed"}},
}

// playDispute is POST /sandbox/disputes: 204; 404 for a number that nobody has paid by card, 409 where the turn is not possible.
func (s *Sandbox) playDispute(w http.ResponseWriter, r *http.Request) {
	var in struct{ Number, Turn string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || disputeTurns[in.Turn].status == "" {
		badRequest(w, `{"number","turn"} is wanted, in JSON; turn: open, won or lost`)
		return
	}
	done, err := s.dispute(r.Context(), in.Number, in.Turn)
	switch {
	case errors.Is(err, errNoTrade):
		http.Error(w, "no such card payment", http.StatusNotFound)
	case err != nil:
		s.failed(w, r, err)
	case !done:
		http.Error(w, "it is unpaid, or its dispute is not open", http.StatusConflict)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// dispute plays a turn of the one dispute that a payment may have: all that is left of it goes to the bank, and comes back where it is won.
func (s *Sandbox) dispute(ctx context.Context, number, turn string) (done bool, err error) {
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		t, err := s.find(ctx, models.ChannelBankCard, number)
		if err != nil {
			return err
		}
		id := disputePrefix + strings.TrimPrefix(t.Reference, "pi_")
		opened, known, err := s.movedBy(ctx, t, id)
		_, ended, err2 := s.movedBy(ctx, t, id+disputeEnd)
		if err = errors.Join(err, err2); err != nil || ended || (turn == "open") == known {
			return err
		}
		amount := opened.Amount
		if turn == "open" {
			amount = t.Amount - t.Refunded
		}
		if done, err = s.disputeMoves(ctx, t, id, turn, amount); err != nil || !done {
			return err
		}
		return s.tellDispute(ctx, t, id, turn, amount)
	})
	if done = done && err == nil; done {
		s.wakeUp()
	}
	return done, err
}

// movedBy is what a dispute's beginning, or its end, has moved.
func (s *Sandbox) movedBy(ctx context.Context, t trade, row string) (r refund, found bool, err error) {
	r, err = s.findRefund(ctx, t.Channel, row, t.Number)
	if errors.Is(err, errNoTrade) {
		return r, false, nil
	}
	return r, err == nil, err
}

// disputeMoves books a turn; false where there is nothing to take.
func (s *Sandbox) disputeMoves(ctx context.Context, t trade, id, turn string, amount int64) (bool, error) {
	moved, row, outcome := map[string]int64{"open": amount, "won": -amount}[turn], id, refundDone
	if turn != "open" {
		row += disputeEnd
	}
	if moved == 0 {
		outcome = refundFailed // it says so, and no money moves
	}
	n, err := s.db.Exec(ctx, "UPDATE sandbox_trades SET refunded = refunded + ? WHERE channel = ? AND number = ? AND status = 'PAID' AND refunded + ? <= amount", moved, string(t.Channel), t.Number, moved)
	if err != nil || n == 0 && moved != 0 || turn == "open" && moved == 0 {
		return false, err
	}
	now := wall()
	_, err = s.db.Exec(ctx, "INSERT INTO sandbox_refunds ("+refundColumns+") VALUES (?,?,?,?,?,?,?,?,?,?,?)", string(t.Channel), row, t.Number, id, moved, string(outcome), turn, "", now, now, s.clock.Now())
	return err == nil, err
}

func (s *Sandbox) tellDispute(ctx context.Context, t trade, id, turn string, amount int64) error {
	b, err := s.behaviour(ctx, t.Channel)
	if err != nil {
		return err
	}
	for _, event := range disputeTurns[turn].events {
		f := factOf(t)
		f.Dispute = &disputeFact{Event: event, ID: id, Status: disputeTurns[turn].status, Amount: amount, At: wall()}
		if err := s.announce(ctx, b, t.Channel, t.NotifyURL, f, wall()); err != nil {
			return err
		}
	}
	return nil
}

// stripeDisputeObject is the object Dispute. It has metadata of its own, not its intent's.
func stripeDisputeObject(intent, currency string, d disputeFact) map[string]any {
	return map[string]any{
		"id": d.ID, "object": "dispute", "amount": d.Amount, "currency": strings.ToLower(currency), "charge": chargeID(intent), "payment_intent": intent, "created": d.At.Unix(),
		"is_charge_refundable": false, "livemode": false, "metadata": map[string]string{}, "reason": "fraudulent", "status": d.Status, "balance_transactions": []any{},
		"enhanced_eligibility_types": []any{}, "evidence": map[string]any{}, "evidence_details": map[string]any{"has_evidence": false, "past_due": false, "submission_count": 0},
	}
}

// stripeBalanceDispute is a movement by a dispute: with Stripe's fee when the bank takes the money, without when it gives it back.
func stripeBalanceDispute(t trade, r refund) map[string]any {
	fee, kind := int64(1500), "dispute"
	d := disputeFact{ID: r.Reference, Amount: r.Amount, Status: "needs_response", At: r.CreatedAt}
	if r.Amount < 0 {
		fee, kind, d.Amount, d.Status = 0, "dispute_reversal", -r.Amount, "won"
	}
	o := stripeMovement("adjustment", r.Reference, -r.Amount, fee, t.Currency, *r.BookedAt, stripeDisputeObject(t.Reference, t.Currency, d))
	o["reporting_category"], o["id"] = kind, o["id"].(string)+kind[len("dispute"):]
	return o
}
