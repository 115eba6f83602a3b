package order

import (
	"slices"
	"strconv"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/money"
	"paydesk/models"
)

// Bounds of a placement.
const (
	maxOrders   = 100
	maxItems    = 100
	maxQuantity = 1_000_000_000
	maxPeriod   = 64
	maxProduct  = 64
	// maxItemBytes keeps an order's items within a TEXT column of MySQL (65,535 bytes).
	maxItemBytes = 65_000
)

// Types of orders (OrderType of the schema).
var orderTypes = []string{"NEW_PURCHASE", "RENEWAL", "CHANGE", "TRIAL_TO_PAID", "ON_DEMAND_TO_SUBSCRIPTION", "UNSUBSCRIPTION"}

// placeable are the statuses an order may come with.
var placeable = []models.OrderStatus{models.OrderPendingPayment, models.OrderPendingReview, models.OrderPendingConfirmation}

// builder turns a placement into rows; its fields are the same for all of them.
type builder struct {
	account, placement, bundle models.ID
	currency                   string
	now                        time.Time
	validity                   time.Duration
}

func (b builder) orders(in []NewOrder) ([]models.Order, error) {
	if len(in) < 1 || len(in) > maxOrders {
		return nil, fault.New("INVALID_INPUT", "input", "orders")
	}
	out := make([]models.Order, len(in))
	seen := make(map[string]bool, len(in))
	for i, n := range in {
		at := path{"input", "orders", strconv.Itoa(i)}
		o, err := b.order(n, at)
		if err != nil {
			return nil, err
		}
		if seen[o.Number] {
			return nil, fault.New("INVALID_INPUT", at.to("number")...).With("number", o.Number)
		}
		seen[o.Number] = true
		out[i] = o
	}
	return out, nil
}

func (b builder) order(n NewOrder, at path) (models.Order, error) {
	o := models.Order{
		AccountID: b.account, ID: models.NewID(), Number: n.Number, Status: n.Status, Type: n.Type, ChargingMode: n.ChargingMode,
		Currency: b.currency, BundleID: b.bundle, PlacementID: b.placement, OutsideContract: n.OutsideContract,
		CreatedAt: b.now, UpdatedAt: b.now,
	}
	if o.Status == "" {
		o.Status = models.OrderPendingPayment
	}
	if o.ChargingMode == "" {
		o.ChargingMode = models.Prepaid
	}
	if err := input.Number(n.Number, at.to("number")...); err != nil {
		return o, err
	}
	switch {
	case !slices.Contains(orderTypes, o.Type):
		return o, fault.New("INVALID_INPUT", at.to("type")...)
	case o.ChargingMode != models.Prepaid && o.ChargingMode != models.Postpaid:
		return o, fault.New("INVALID_INPUT", at.to("chargingMode")...)
	case !slices.Contains(placeable, o.Status):
		return o, fault.New("INVALID_INPUT", at.to("status")...)
	}
	var err error
	if o.ProductType, err = input.Text(n.ProductType, true, maxProduct, at.to("productType")...); err != nil {
		return o, err
	}
	if o.ExpiresAt, err = b.end(n.ExpiresAt, at); err != nil {
		return o, err
	}
	return o, b.items(&o, n.Items, at)
}

// end is until when an order can be paid (HW-3, D4).
func (b builder) end(wanted *time.Time, at path) (*time.Time, error) {
	end := b.now.Add(b.validity)
	if wanted != nil {
		if end = wanted.UTC().Truncate(time.Microsecond); !end.After(b.now) || end.Year() > 9999 {
			return nil, fault.New("INVALID_INPUT", at.to("expiresAt")...)
		}
	}
	return &end, nil
}

// items fills in the lines and their sum.
func (b builder) items(o *models.Order, in []NewItem, at path) error {
	if len(in) < 1 || len(in) > maxItems {
		return fault.New("INVALID_INPUT", at.to("items")...)
	}
	sum := money.New(0, money.Currency(b.currency))
	for i, n := range in {
		at := at.to("items", strconv.Itoa(i))
		item, amount, err := b.item(n, at)
		if err != nil {
			return err
		}
		if sum, err = sum.Add(amount); err != nil {
			return fault.New("AMOUNT_OUT_OF_RANGE", at.to("amount")...)
		}
		o.Items = append(o.Items, item)
	}
	o.ListAmount, o.AmountDue = sum.Minor, sum.Minor
	if kept, err := o.Items.Value(); err != nil || len(kept.(string)) > maxItemBytes {
		return fault.New("INVALID_INPUT", at.to("items")...)
	}
	return nil
}

func (b builder) item(n NewItem, at path) (models.OrderItem, money.Money, error) {
	item := models.OrderItem{ID: models.NewID(), Quantity: n.Quantity}
	var err error
	if item.Name, err = input.Text(n.Name, true, input.MaxName, at.to("name")...); err != nil {
		return item, money.Money{}, err
	}
	if item.Specification, err = input.Text(n.Specification, false, input.MaxName, at.to("specification")...); err != nil {
		return item, money.Money{}, err
	}
	if item.Period, err = input.Text(n.Period, false, maxPeriod, at.to("period")...); err != nil {
		return item, money.Money{}, err
	}
	if n.Quantity < 1 || n.Quantity > maxQuantity {
		return item, money.Money{}, fault.New("INVALID_INPUT", at.to("quantity")...)
	}
	amount, err := n.Amount.Parse(b.currency, at.to("amount")...)
	item.Amount = amount.Minor
	return item, amount, err
}

// path is where in the input something stands.
type path []string

// to is the path of something inside, without changing this one.
func (p path) to(inside ...string) path { return append(p[:len(p):len(p)], inside...) }
