package payment

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"paydesk/internal/billing/fault"
	"paydesk/internal/money"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// ByID reads one payment of an account. Errors: fault.ErrNotFound.
func (s *Service) ByID(ctx context.Context, account, id models.ID) (models.Payment, error) {
	return first(s.DB.Gorm(ctx).Where("account_id = ? AND id = ?", account, id))
}

// ByIDAnywhere reads a payment of any account, for operators. Errors: fault.ErrNotFound.
func (s *Service) ByIDAnywhere(ctx context.Context, id models.ID) (models.Payment, error) {
	return first(s.DB.Gorm(ctx).Where("id = ?", id))
}

func first(q *gorm.DB) (p models.Payment, err error) {
	err = q.Take(&p).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		err = fault.ErrNotFound
	}
	return p, err
}

// ForPartner reads, among ids, what people of a partner may see: payments of their own account, and those that it was asked to
// pay (contract §3); in no particular order, and what is not there is left out.
func (s *Service) ForPartner(ctx context.Context, account models.ID, ids []models.ID) (rows []models.Payment, err error) {
	err = s.DB.Gorm(ctx).Where("id IN ? AND (account_id = ? OR partner_id = ?)", ids, account, account).Find(&rows).Error
	return rows, err
}

// byNumber finds a channel's payment by our merchant order number.
func (s *Service) byNumber(ctx context.Context, ch models.PaymentChannel, number string) (account, id models.ID, err error) {
	found, err := s.DB.QueryRow(ctx, []any{&account, &id}, "SELECT account_id, id FROM payments WHERE number = ? AND channel = ?", number, string(ch))
	if err == nil && !found {
		err = fault.ErrNotFound
	}
	return account, id, err
}

// ByIDs reads payments of an account, in no particular order; ids that are not there are left out.
func (s *Service) ByIDs(ctx context.Context, account models.ID, ids []models.ID) (rows []models.Payment, err error) {
	err = s.DB.Gorm(ctx).Where("account_id = ? AND id IN ?", account, ids).Find(&rows).Error
	return rows, err
}

// Filter narrows a list; an empty field does not narrow.
type Filter struct {
	Purposes    []models.PaymentPurpose
	Statuses    []models.PaymentStatus
	CreatedFrom *time.Time // inclusive
	CreatedTo   *time.Time // exclusive
	AsPartner   bool       // widens: what the account, as a partner, was asked to pay comes with it (contract §3)
}

// lists are the conditions of an account's list: one for its own payments and, where they are wanted, one for those it was asked to
// pay. They are two statements, for each has an index of its own in the list's order, and one with OR would have none.
func (f Filter) lists(account models.ID) (out []condition) {
	out = append(out, f.narrow(condition{"account_id = ?", []any{account}}))
	if f.AsPartner {
		out = append(out, f.narrow(condition{"partner_id = ? AND account_id <> ?", []any{account, account}}))
	}
	return out
}

type condition struct {
	text string
	args []any
}

func (f Filter) narrow(c condition) condition {
	add := func(text string, value any) { c = condition{c.text + " AND " + text, append(c.args, value)} }
	if len(f.Purposes) > 0 {
		add("purpose IN ?", f.Purposes)
	}
	if len(f.Statuses) > 0 {
		add("status IN ?", f.Statuses)
	}
	if f.CreatedFrom != nil {
		add("created_at >= ?", *f.CreatedFrom)
	}
	if f.CreatedTo != nil {
		add("created_at < ?", *f.CreatedTo)
	}
	return c
}

var newestFirst = page.Sort{Tag: 'c', Column: "created_at", ID: "id", Desc: true, Time: true}

// List reads a page of an account's payments, newest first.
func (s *Service) List(ctx context.Context, account models.ID, f Filter, p page.Page) (page.Result[models.Payment], error) {
	var rows []models.Payment
	for _, c := range f.lists(account) {
		query, args, err := p.Append([]byte("SELECT * FROM payments WHERE "+c.text), c.args, newestFirst)
		if err != nil {
			return page.Result[models.Payment]{}, err
		}
		var found []models.Payment
		if err := s.DB.Gorm(ctx).Raw(string(query), args...).Find(&found).Error; err != nil {
			return page.Result[models.Payment]{}, err
		}
		rows = append(rows, found...)
	}
	if f.AsPartner {
		slices.SortFunc(rows, inOrder(p.Backward))
	}
	return page.Finish(p, rows, func(p models.Payment) page.Cursor {
		return page.Cursor{Sort: newestFirst.Tag, Key: p.CreatedAt.UnixMicro(), ID: p.ID}
	}), nil
}

// inOrder is newestFirst for rows of two statements; backward as the page is read.
func inOrder(backward bool) func(a, b models.Payment) int {
	return func(a, b models.Payment) int {
		if backward {
			a, b = b, a
		}
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), bytes.Compare(b.ID[:], a.ID[:]))
	}
}

// Count says how many payments a filter matches.
func (s *Service) Count(ctx context.Context, account models.ID, f Filter) (total int64, err error) {
	for _, c := range f.lists(account) {
		var n int64
		if err := s.DB.Gorm(ctx).Model(&models.Payment{}).Where(c.text, c.args...).Count(&n).Error; err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// Events reads the timelines of payments of one account, oldest first, by payment.
func (s *Service) Events(ctx context.Context, account models.ID, payments []models.ID) (map[models.ID][]models.PaymentEvent, error) {
	var rows []models.PaymentEvent
	err := s.DB.Gorm(ctx).Where("account_id = ? AND payment_id IN ?", account, payments).Order("payment_id, version").Find(&rows).Error
	out := make(map[models.ID][]models.PaymentEvent, len(payments))
	for _, r := range rows {
		out[r.PaymentID] = append(out[r.PaymentID], r)
	}
	return out, err
}

// Allocations reads how payments of one account fall on their orders, by payment.
func (s *Service) Allocations(ctx context.Context, account models.ID, payments []models.ID) (map[models.ID][]models.PaymentOrder, error) {
	var rows []models.PaymentOrder
	err := s.DB.Gorm(ctx).Where("account_id = ? AND payment_id IN ?", account, payments).Order("payment_id, order_id").Find(&rows).Error
	out := make(map[models.ID][]models.PaymentOrder, len(payments))
	for _, r := range rows {
		out[r.PaymentID] = append(out[r.PaymentID], r)
	}
	return out, err
}

// OfOrders reads the payments of orders of one account, newest first, by order.
func (s *Service) OfOrders(ctx context.Context, account models.ID, orders []models.ID) (map[models.ID][]models.Payment, error) {
	var shares []models.PaymentOrder
	if err := s.DB.Gorm(ctx).Where("account_id = ? AND order_id IN ?", account, orders).Find(&shares).Error; err != nil || len(shares) == 0 {
		return nil, err
	}
	ids := make([]models.ID, len(shares))
	for i, a := range shares {
		ids[i] = a.PaymentID
	}
	var rows []models.Payment
	if err := s.DB.Gorm(ctx).Where("account_id = ? AND id IN ?", account, ids).Order("created_at DESC, id DESC").Find(&rows).Error; err != nil {
		return nil, err
	}
	out := make(map[models.ID][]models.Payment, len(orders))
	for _, p := range rows {
		for _, a := range shares {
			if a.PaymentID == p.ID {
				out[a.OrderID] = append(out[a.OrderID], p)
			}
		}
	}
	return out, nil
}

// LastTopUp is the amount of the last top-up that succeeded, nil where there is none (TX-7).
func (s *Service) LastTopUp(ctx context.Context, account models.ID) (*money.Money, error) {
	var amount int64
	var code string
	found, err := s.DB.QueryRow(ctx, []any{&amount, &code},
		"SELECT amount, currency FROM payments WHERE account_id = ? AND purpose = 'TOP_UP' AND status = 'SUCCEEDED' ORDER BY created_at DESC, id DESC LIMIT 1", account)
	if err != nil || !found {
		return nil, err
	}
	m := money.New(amount, currency(code))
	return &m, nil
}

// Action is what the QR page shows of a payment: its content, while the payment waits for the payer.
func (s *Service) Action(ctx context.Context, id models.ID) (content string, ok bool, err error) {
	var null sql.NullString
	found, err := s.DB.QueryRow(ctx, []any{&null}, "SELECT action_content FROM payments WHERE id = ? AND action_kind = 'SCAN_QR'", id)
	return null.String, found && null.Valid, err
}
