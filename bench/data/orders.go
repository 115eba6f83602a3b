package data

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"

	"paydesk/models"
)

const (
	orderColumns = "orders (account_id, id, number, status, type, product_type, charging_mode, currency, list_amount, amount_due, paid, bundle_id, placement_id, outside_contract, " +
		"active_payment_id, items, created_at, expires_at, updated_at)"
	paymentColumns = "payments (account_id, id, number, purpose, status, currency, amount, balance_amount, channel, channel_reference, bank_code, return_url, action_kind, action_method, " +
		"failure_code, created_by, locale, created_at, completed_at, version)"
	shareColumns = "payment_orders (account_id, payment_id, order_id, amount, due, created_at)"
	eventColumns = "payment_events (account_id, payment_id, version, status, note, at)"
)

var (
	types    = []string{"NEW_PURCHASE", "NEW_PURCHASE", "RENEWAL", "RENEWAL", "CHANGE", "TRIAL_TO_PAID"}
	products = []string{"ecs", "rds", "obs", "cdn", "eip", "waf", "dcs", "cce"}
	names    = []string{"Elastic Compute Server, 4 vCPU 8 GiB", "Relational Database, primary and standby", "对象存储标准型 100 GB", "Content Delivery 1 TB", "Elastic IP 5 Mbit/s", "Block Storage SSD 200 GB"}
	specs    = []string{"c7.xlarge.2", "rds.mysql.n1.large.2.ha", "", "standard", "5_bgp", "SSD 200"}
)

// waiting is the share of an account's orders that wait to be paid: of an ordinary one the newest, and at least a page of
// them.
const (
	waiting = 0.55
	atLeast = 21
)

// orders writes the orders of an account: the older ones of an ordinary account are paid, canceled or expired; those of a
// large one are mixed.
func (s *Set) orders(ctx context.Context, h *history) error {
	n, large := s.each(), h.index >= 1 && h.index <= s.Size.Large
	if large {
		n = s.LargeEach
	}
	var bundle models.ID
	for j := range n {
		at := s.Made.Add(-period + time.Duration(float64(period)*(float64(j)+h.r.Float64())/float64(n+1))).Truncate(time.Microsecond)
		o := h.order(at)
		o.ExpiresAt = new(s.Made.Add(60*24*time.Hour + time.Duration(h.r.IntN(86400))*time.Second))
		waits := h.index == 0 || float64(j) >= float64(n)*(1-waiting) || n-j <= atLeast
		if large {
			waits = h.r.Float64() < waiting
		}
		// One account in four that is read has a combined purchase among its newest orders.
		if h.index > s.Size.Accounts/2+s.Size.Large && h.index%4 == 0 && n-j <= 2 {
			if bundle.IsZero() {
				bundle = o.PlacementID
			}
			o.BundleID, o.PlacementID = bundle, bundle
		}
		if err := s.write(ctx, h, &o, waits); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) write(ctx context.Context, h *history, o *models.Order, waits bool) error {
	switch x := h.r.Float64(); {
	case waits:
	case x < 0.25:
		o.Status, o.Paid = models.OrderCompleted, o.AmountDue
		if err := h.pay(ctx, o, o.CreatedAt.Add(time.Hour)); err != nil {
			return err
		}
	case x < 0.6:
		o.Status = models.OrderCanceled
	default:
		o.Status, o.ExpiresAt = models.OrderExpired, new(o.CreatedAt.Add(7*24*time.Hour))
	}
	return h.w.row(ctx, orderColumns, orderValues(o)...)
}

// order is an order that waits to be paid.
func (h *history) order(at time.Time) models.Order {
	h.numbers++
	o := models.Order{AccountID: h.account, ID: idAt(at, h.r), Number: fmt.Sprintf("CS%06d%08d", h.index, h.numbers), Status: models.OrderPendingPayment, Type: pick(h.r, types), ProductType: pick(h.r, products),
		ChargingMode: models.Prepaid, Currency: currency, PlacementID: idAt(at, h.r), CreatedAt: at, UpdatedAt: at}
	for range 1 + h.r.IntN(3) {
		k := h.r.IntN(len(names))
		it := models.OrderItem{ID: idAt(at, h.r), Name: names[k], Specification: specs[k], Quantity: 1 + h.r.IntN(4), Period: "12 months", Amount: 1_00 + h.r.Int64N(500_00)}
		o.Items = append(o.Items, it)
		o.AmountDue += it.Amount
	}
	o.ListAmount = o.AmountDue
	return o
}

func pick(r *rand.Rand, list []string) string { return list[r.IntN(len(list))] }

func orderValues(o *models.Order) []any {
	items, err := o.Items.Value()
	if err != nil {
		panic(err)
	}
	return []any{o.AccountID, o.ID, o.Number, string(o.Status), o.Type, o.ProductType, string(o.ChargingMode), o.Currency, o.ListAmount, o.AmountDue, o.Paid, o.BundleID, o.PlacementID, 0, nil,
		items, o.CreatedAt, *o.ExpiresAt, o.UpdatedAt}
}

// pay writes what a payment from the balance leaves behind.
func (h *history) pay(ctx context.Context, o *models.Order, at time.Time) error {
	id := idAt(at, h.r)
	o.UpdatedAt = at
	number := fmt.Sprintf("%s%05dX%06d", at.Format("20060102150405"), h.index, h.numbers)
	err := h.w.row(ctx, paymentColumns, h.account, id, number, "ORDERS", "SUCCEEDED", currency, o.AmountDue, o.AmountDue, "", "", "", "", "", "", "", "bench", "en", at, at, 1)
	if err == nil {
		err = h.w.row(ctx, shareColumns, h.account, id, o.ID, o.AmountDue, o.AmountDue, at)
	}
	if err == nil {
		err = h.w.row(ctx, eventColumns, h.account, id, 1, "SUCCEEDED", "payment.note.succeeded", at)
	}
	if err != nil {
		return err
	}
	return h.post(ctx, "pay:"+id.String(), models.BookRevenue, models.KindOrderPayment, -o.AmountDue, id, o.ID, at)
}

// Waiting is an order that can be paid.
type Waiting struct {
	Account, Order models.ID
	Due            int64 // minor units
}

// Together are orders of one account that are paid at once.
type Together struct {
	Account models.ID
	Orders  []models.ID
	Due     int64 // minor units, of all
}

// PlaceTogether adds n times each orders that wait to be paid at once, each accounts in turn.
func PlaceTogether(ctx context.Context, db *sql.DB, accounts []models.ID, n, each int) (out []Together, err error) {
	for n > 0 {
		some := accounts[:min(n, len(accounts))]
		list, err := Place(ctx, db, some, len(some)*each)
		if err != nil {
			return nil, err
		}
		group := make([]Together, len(some))
		for i, w := range list {
			g := &group[i%len(some)]
			g.Account, g.Orders, g.Due = w.Account, append(g.Orders, w.Order), g.Due+w.Due
		}
		out, n = append(out, group...), n-len(some)
	}
	return out, nil
}

// Place adds orders that wait to be paid, each accounts in turn, and names them: benchmarks of pay use them up.
func Place(ctx context.Context, db *sql.DB, accounts []models.ID, n int) ([]Waiting, error) {
	w, err := newWriter(ctx, db)
	if err != nil {
		return nil, err
	}
	defer w.close()
	out, batch := make([]Waiting, 0, n), models.NewID().String()[:12]
	r := rand.New(rand.NewPCG(seed, rand.Uint64()))
	now := time.Now().UTC().Truncate(time.Microsecond)
	for i := range n {
		h := &history{w: w, r: r, account: accounts[i%len(accounts)]}
		o := h.order(now)
		o.Number, o.ExpiresAt = fmt.Sprintf("B%s%08d", batch, i), new(now.Add(60*24*time.Hour))
		if err := w.row(ctx, orderColumns, orderValues(&o)...); err != nil {
			return nil, err
		}
		out = append(out, Waiting{o.AccountID, o.ID, o.AmountDue})
	}
	return out, w.flush(ctx)
}
