package order

import (
	"context"
	"strings"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/money"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/notify"
	"paydesk/models"
)

// CodeNotReviewable is the code of an order that does not wait for the decision.
const CodeNotReviewable = "ORDER_NOT_REVIEWABLE"

// Review is somebody's decision about an order that waits for approval.
type Review struct {
	OrderID models.ID
	Approve bool
	Reason  string // told to the customer with a refusal; at most 500 characters
	By      string // the token's sub
}

// Review decides about an order in PENDING_REVIEW: approved it can be paid, refused it is canceled, and the account is told by
// SMS and e-mail in the same transaction (HW-17, HW-36). The same decision again changes nothing and tells nobody, whatever has
// become of the order. Faults: INVALID_INPUT, CARD_DATA_NOT_ACCEPTED, ORDER_NOT_FOUND; ORDER_NOT_REVIEWABLE where it does not
// wait for review, ORDER_EXPIRED with *fault.OrdersNotPayable where its time is over.
func (s *Service) Review(ctx context.Context, r Review) (models.Order, error) {
	reason, err := input.Text(r.Reason, false, input.MaxReason, "input", "reason")
	if err != nil {
		return models.Order{}, err
	}
	event := Refused
	if r.Approve {
		event, reason = Approved, ""
	}
	return s.decide(ctx, r.OrderID, event, r.By, reason)
}

// Confirm lets an order in PENDING_CONFIRMATION be paid, as Review does (HW-18). By is the token's sub.
func (s *Service) Confirm(ctx context.Context, id models.ID, by string) (models.Order, error) {
	return s.decide(ctx, id, Confirmed, by, "")
}

func (s *Service) decide(ctx context.Context, id models.ID, e Event, by, reason string) (models.Order, error) {
	o, found, err := one(s.ByIDsAnywhere(ctx, []models.ID{id}))
	if err != nil {
		return models.Order{}, err
	}
	if !found {
		return models.Order{}, fault.New(CodeNotFound, "input", "orderId")
	}
	var done bool
	err = s.db.InTx(ctx, func(ctx context.Context) error {
		if done, err = s.settle(ctx, o, e, by); err != nil || !done {
			return err
		}
		return s.tellDecision(ctx, o, e, reason)
	})
	if err != nil {
		return models.Order{}, err
	}
	if o, _, err = s.ByID(ctx, o.AccountID, id); err != nil || done {
		return o, err
	}
	return s.undecided(ctx, o, e)
}

// settle makes the transition with who made it, where the order still waits for it and its time is not over (HW-3).
func (s *Service) settle(ctx context.Context, o models.Order, e Event, by string) (bool, error) {
	st, now := steps[e], s.clock.Now()
	args := database.Args([]any{string(st.to), string(e), by, now, o.AccountID, o.ID}, st.from)
	n, err := s.db.Exec(ctx, "UPDATE orders SET status = ?, decision = ?, decided_by = ?, updated_at = ? WHERE account_id = ? AND id = ? AND status IN ("+
		database.Marks(len(st.from))+") AND (expires_at IS NULL OR expires_at > ?)", append(args, now)...)
	return n == 1, err
}

// undecided is the answer where nothing was changed: the order as it stands where this very decision was made before.
func (s *Service) undecided(ctx context.Context, o models.Order, e Event) (models.Order, error) {
	var before string
	if _, err := s.db.QueryRow(ctx, []any{&before}, "SELECT decision FROM orders WHERE account_id = ? AND id = ?", o.AccountID, o.ID); err != nil {
		return models.Order{}, err
	}
	switch {
	case before == string(e):
		return o, nil
	case ownPayability(&o, s.clock.Now()) == CodeExpired:
		return models.Order{}, NotPayable(CodeExpired, o)
	}
	return models.Order{}, fault.New(CodeNotReviewable, "input", "orderId").With("number", o.Number)
}

// tellDecision writes to the account what became of its order, in the language of its country.
func (s *Service) tellDecision(ctx context.Context, o models.Order, e Event, reason string) error {
	a := models.Account{ID: o.AccountID}
	found, err := s.db.QueryRow(ctx, []any{&a.Number, &a.Name, &a.Country, &a.Email, &a.Phone},
		"SELECT number, name, country, email, phone FROM accounts WHERE id = ?", o.AccountID)
	if err != nil || !found {
		return err
	}
	args := map[string]any{"number": o.Number, "amount": money.New(o.AmountDue, money.Currency(o.Currency))}
	if reason != "" {
		args["reason"] = reason
	}
	if e != Refused {
		if err := s.nameWaiting(ctx, o, args); err != nil {
			return err
		}
	}
	return s.desk.Tell(ctx, notify.Letter{Account: a, Locale: locale.OfCountry(a.Country), Key: letters[e], Args: args, At: s.clock.Now()})
}

// letters are the texts that tell a decision.
var letters = map[Event]string{Approved: "letter.order_approved", Refused: "letter.order_refused", Confirmed: "letter.order_confirmed"}

// nameWaiting adds the numbers of the order's bundle that still wait: until they are approved, it cannot be paid either (HW-9).
func (s *Service) nameWaiting(ctx context.Context, o models.Order, args map[string]any) error {
	bundles, err := s.LinkedTo(ctx, o.AccountID, []models.Order{o})
	var waiting []string
	for _, mate := range bundles[o.BundleID] {
		if mate.ID != o.ID && (mate.Status == models.OrderPendingReview || mate.Status == models.OrderPendingConfirmation) {
			waiting = append(waiting, mate.Number)
		}
	}
	if len(waiting) > 0 {
		args["waiting"] = strings.Join(waiting, ", ")
	}
	return err
}
