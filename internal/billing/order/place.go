package order

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Placement is what the order centre hands over in one call: all of it is taken, or nothing.
type Placement struct {
	AccountID models.ID
	Orders    []NewOrder
	Bundle    bool // one combined purchase: paid together or not at all (HW-8)
}

// NewOrder is an order to be placed.
type NewOrder struct {
	Number          string
	Type            string
	ProductType     string
	ChargingMode    models.ChargingMode // PREPAID where empty
	Status          models.OrderStatus  // PENDING_PAYMENT where empty
	Items           []NewItem
	OutsideContract bool
	ExpiresAt       *time.Time // now and the policy's validity where nil (D4)
}

// NewItem is a line of it; Amount is the line's.
type NewItem struct {
	Name          string
	Specification string
	Quantity      int
	Period        string
	Amount        input.Amount
}

// Place takes orders for an account: one multi-row INSERT, once for a key (contract.md §4). Faults: ACCOUNT_NOT_FOUND,
// ACCOUNT_NOT_ACTIVE of a closed account, INVALID_INPUT, CARD_DATA_NOT_ACCEPTED, CURRENCY_MISMATCH, AMOUNT_INVALID and
// AMOUNT_OUT_OF_RANGE with the path. Order numbers are unique in the installation.
func (s *Service) Place(ctx context.Context, p Placement) ([]models.Order, error) {
	var placed []models.Order
	out, replayed, err := s.keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		var err error
		if placed, err = s.build(ctx, p); err != nil {
			return idempotency.Outcome{}, err
		}
		out := idempotency.Outcome{Kind: "orders", Ref: placed[0].PlacementID}
		return out, s.insert(ctx, out, placed)
	})
	if err != nil {
		return nil, err
	}
	if replayed {
		return s.ByPlacement(ctx, p.AccountID, out.Ref)
	}
	return placed, nil
}

// build checks a placement and makes its rows.
func (s *Service) build(ctx context.Context, p Placement) ([]models.Order, error) {
	currency, err := s.payer(ctx, p.AccountID)
	if err != nil {
		return nil, err
	}
	b := builder{currency: currency, now: s.clock.Now(), validity: s.rules.Validity, account: p.AccountID, placement: models.NewID()}
	if p.Bundle && len(p.Orders) > 1 {
		b.bundle = models.NewID()
	}
	return b.orders(p.Orders)
}

// payer says in which currency an account pays.
func (s *Service) payer(ctx context.Context, account models.ID) (currency string, err error) {
	var status string
	found, err := s.db.QueryRow(ctx, []any{&status, &currency}, "SELECT status, currency FROM accounts WHERE id = ?", account)
	switch {
	case err != nil:
		return "", err
	case !found:
		return "", fault.New("ACCOUNT_NOT_FOUND", "input", "accountId")
	case status == string(models.AccountClosed):
		return "", fault.New("ACCOUNT_NOT_ACTIVE", "input", "accountId")
	}
	return currency, nil
}

func (s *Service) insert(ctx context.Context, out idempotency.Outcome, orders []models.Order) error {
	const row = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
	args := make([]any, 0, 19*len(orders))
	for _, o := range orders {
		items, err := o.Items.Value()
		if err != nil {
			return err
		}
		args = append(args, o.AccountID, o.ID, o.Number, string(o.Status), o.Type, o.ProductType, string(o.ChargingMode), o.Currency,
			o.ListAmount, o.AmountDue, o.Paid, o.BundleID, o.PlacementID, o.OutsideContract, o.ActivePaymentID, items,
			o.CreatedAt, *o.ExpiresAt, o.UpdatedAt)
	}
	taken := false
	err := s.db.InTx(ctx, func(ctx context.Context) error {
		taken = false
		if err := s.keys.Claim(ctx, out); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, "INSERT INTO orders ("+columns+") VALUES "+strings.Repeat(row+",", len(orders)-1)+row, args...)
		taken = database.IsDuplicate(err)
		return err
	})
	if taken {
		return s.whichNumber(ctx, orders, err)
	}
	return err
}

// whichNumber finds the order whose number is already there, after the database has refused it.
func (s *Service) whichNumber(ctx context.Context, orders []models.Order, cause error) error {
	numbers := make([]string, len(orders))
	for i := range orders {
		numbers[i] = orders[i].Number
	}
	known, err := s.read(ctx, 1, "SELECT "+columns+" FROM orders WHERE number IN ("+database.Marks(len(numbers))+")", database.Args(nil, numbers)...)
	if err != nil {
		return err
	}
	first := len(numbers)
	for i := range known {
		if at := slices.Index(numbers, known[i].Number); at >= 0 {
			first = min(first, at)
		}
	}
	if first == len(numbers) {
		return cause
	}
	return fault.New("INVALID_INPUT", "input", "orders", strconv.Itoa(first), "number").With("number", numbers[first])
}
