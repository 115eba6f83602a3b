package order

import (
	"context"
	"database/sql"
	"strings"

	"paydesk/models"
)

// columns are read in this order by scanner; explicit, because reading rows is what this package does most.
const columns = "account_id, id, number, status, type, product_type, charging_mode, currency, list_amount, amount_due, paid, " +
	"bundle_id, placement_id, outside_contract, active_payment_id, items, created_at, expires_at, updated_at"

// columnsOf are the same columns of a table alias.
func columnsOf(alias string) string {
	return alias + "." + strings.ReplaceAll(columns, ", ", ", "+alias+".")
}

// scanner reads orders one after the other, with the same destinations for every row.
type scanner struct {
	row   models.Order
	items sql.RawBytes
	dest  []any
}

// newScanner reads orders, and into more what stands after an order's columns.
func newScanner(more ...any) *scanner {
	s := &scanner{}
	o := &s.row
	s.dest = append([]any{&o.AccountID, &o.ID, &o.Number, (*string)(&o.Status), &o.Type, &o.ProductType, (*string)(&o.ChargingMode), &o.Currency,
		&o.ListAmount, &o.AmountDue, &o.Paid, &o.BundleID, &o.PlacementID, &o.OutsideContract, &o.ActivePaymentID, &s.items,
		&o.CreatedAt, &o.ExpiresAt, &o.UpdatedAt}, more...)
	return s
}

func (s *scanner) scan(rows *sql.Rows) (models.Order, error) {
	err := rows.Scan(s.dest...)
	if err == nil {
		s.row.Items, err = decodeItems(s.items)
	}
	return s.row, err
}

// read runs a statement that gives the columns of orders.
func (s *Service) read(ctx context.Context, size int, query string, args ...any) ([]models.Order, error) {
	out := make([]models.Order, 0, size)
	sc := newScanner()
	err := s.db.Query(ctx, func(rows *sql.Rows) error {
		o, err := sc.scan(rows)
		out = append(out, o)
		return err
	}, query, args...)
	return out, err
}
