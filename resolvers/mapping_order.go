package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// orders maps a list in a handful of allocations: the orders, their items and the pointers to them are one block each. Linked are
// the bundles of the list by their id; without them payability is judged by each order alone.
func (v view) orders(rows []models.Order, linked map[models.ID][]models.Order) []*model.Order {
	n := 0
	for i := range rows {
		n += len(rows[i].Items)
	}
	block, items := make([]model.Order, len(rows)), make([]model.OrderItem, n)
	out, pointers := make([]*model.Order, len(rows)), make([]*model.OrderItem, n)
	for i := range rows {
		k := len(rows[i].Items)
		v.items(items[:k], pointers[:k], &rows[i])
		block[i].Items = pointers[:k:k]
		items, pointers = items[k:], pointers[k:]
		v.order(&block[i], &rows[i], linked[rows[i].BundleID])
		out[i] = &block[i]
	}
	cohort := &model.Orders{Members: out}
	for _, o := range out {
		o.Cohort = cohort
	}
	return out
}

func (v view) order(o *model.Order, row *models.Order, linked []models.Order) {
	o.ID, o.Key, o.AccountID, o.BundleID, o.ActivePaymentID = row.ID.Encode(models.PrefixOrder), row.ID, row.AccountID, row.BundleID, row.ActivePaymentID
	o.Number, o.ProductType, o.OutsideContract = row.Number, row.ProductType, row.OutsideContract
	o.Status, o.Type, o.ChargingMode = model.OrderStatus(row.Status), model.OrderType(row.Type), model.ChargingMode(row.ChargingMode)
	o.ListAmount, o.AmountDue, o.Paid = v.money(row.ListAmount, row.Currency), v.money(row.AmountDue, row.Currency), v.money(row.Paid, row.Currency)
	o.CreatedAt, o.ExpiresAt = row.CreatedAt, row.ExpiresAt
	o.Payability = v.payability(order.Payability(*row, v.now, linked))
}

func (v view) payability(code string) model.Payability {
	if code == "" {
		return model.Payability{Payable: true}
	}
	c, text := model.UserErrorCode(code), messages.Text(v.locale, code, nil)
	return model.Payability{Code: &c, Message: &text}
}

func (v view) items(block []model.OrderItem, pointers []*model.OrderItem, row *models.Order) {
	for i := range row.Items {
		it := &row.Items[i]
		block[i] = model.OrderItem{ID: it.ID.Encode(models.PrefixItem), Name: it.Name, Specification: textOrNil(it.Specification), Quantity: it.Quantity,
			Period: textOrNil(it.Period), Amount: v.money(it.Amount, row.Currency)}
		pointers[i] = &block[i]
	}
}

// ordersWithLinks maps orders of one account or of several, with the bundles that decide about their payability: one statement more
// for each account that has bundles among them.
func (v view) ordersWithLinks(ctx context.Context, rows []models.Order) ([]*model.Order, error) {
	linked := map[models.ID][]models.Order{}
	byAccount := map[models.ID][]models.Order{}
	for _, o := range rows {
		byAccount[o.AccountID] = append(byAccount[o.AccountID], o)
	}
	for account, own := range byAccount {
		bundles, err := v.r.s.Orders.LinkedTo(ctx, account, own)
		if err != nil {
			return nil, err
		}
		for id, orders := range bundles {
			linked[id] = orders
		}
	}
	out := v.orders(rows, linked)
	v.link(out, linked)
	return out, nil
}

// link gives each order the others of its bundle, so that linkedOrders needs no statement of its own.
func (v view) link(orders []*model.Order, linked map[models.ID][]models.Order) {
	var rows []models.Order
	for _, bundle := range linked {
		rows = append(rows, bundle...)
	}
	bundles := make(map[models.ID][]*model.Order, len(linked))
	for _, o := range v.orders(rows, linked) {
		bundles[o.BundleID] = append(bundles[o.BundleID], o)
	}
	for _, o := range orders {
		o.Linked = others(bundles[o.BundleID], o.Key)
		for _, l := range o.Linked {
			l.Linked = others(bundles[o.BundleID], l.Key)
		}
	}
}

// others is a bundle without one of its orders; never nil, which would mean "not known".
func others(bundle []*model.Order, without models.ID) []*model.Order {
	out := make([]*model.Order, 0, len(bundle))
	for _, o := range bundle {
		if o.Key != without {
			out = append(out, o)
		}
	}
	return out
}

func (v view) oneOrder(ctx context.Context, o models.Order) (*model.Order, error) {
	out, err := v.ordersWithLinks(ctx, []models.Order{o})
	if err != nil {
		return nil, err
	}
	return out[0], nil
}

// maxFilterValues bounds what a list may be narrowed to; there are fifteen types and statuses.
const maxFilterValues = 100

// orderPage reads a page of an account's orders, as much of it as the client asked for.
func (r *Resolver) orderPage(ctx context.Context, account models.ID, filter *model.OrderFilter, by *model.OrderOrder, p page.Page) (*model.OrderConnection, error) {
	if filter != nil && len(filter.ProductTypes)+len(filter.Types)+len(filter.Statuses) > maxFilterValues {
		return nil, fault.BadInput("filter: at most 100 values in all")
	}
	links := selectsNode(ctx, "linkedOrders")
	q := order.Query{AccountID: account, Filter: orderFilter(filter), Page: p, Total: selects(ctx, "totalCount"),
		Linked: links || selectsNode(ctx, "payability")}
	if by != nil {
		q.OrderBy, q.Ascending = order.Field(by.Field), by.Direction == model.OrderDirectionAsc
	}
	list, err := r.s.Orders.List(ctx, q)
	if err != nil {
		return nil, err
	}
	v := r.view(ctx)
	orders := v.orders(list.Items, list.Linked)
	if links {
		v.link(orders, list.Linked)
	}
	out := &model.OrderConnection{PageInfo: pageInfo(list.Result), Nodes: orders}
	if list.Total != nil {
		out.TotalCount = count(*list.Total)
	}
	if selects(ctx, "edges") {
		out.Edges = edges(list.Result, orders, func(c string, o *model.Order) *model.OrderEdge { return &model.OrderEdge{Cursor: c, Node: o} })
	}
	return out, nil
}

func orderFilter(f *model.OrderFilter) (out order.Filter) {
	if f == nil {
		return out
	}
	out = order.Filter{Number: orZero(f.Number), ProductTypes: f.ProductTypes, CreatedFrom: f.CreatedFrom, CreatedTo: f.CreatedTo}
	for _, t := range f.Types {
		out.Types = append(out.Types, string(t))
	}
	for _, s := range f.Statuses {
		out.Statuses = append(out.Statuses, models.OrderStatus(s))
	}
	return out
}

// orderID reads an order's id from an input. Fault: ORDER_NOT_FOUND, also for ids of another type (contract §7).
func orderID(text string) (models.ID, error) {
	id, err := models.Decode(models.PrefixOrder, text)
	if err != nil {
		return id, fault.New("ORDER_NOT_FOUND", "input", "orderId")
	}
	return id, nil
}

func placement(in model.PlaceOrdersInput) (order.Placement, error) {
	id, err := accountID(in.AccountID, "input", "accountId")
	out := order.Placement{AccountID: id, Bundle: orZero(in.Bundle), Orders: make([]order.NewOrder, len(in.Orders))}
	for i, o := range in.Orders {
		n := order.NewOrder{Number: o.Number, Type: string(o.Type), ProductType: o.ProductType, ChargingMode: models.ChargingMode(orZero(o.ChargingMode)),
			Status: models.OrderStatus(orZero(o.Status)), OutsideContract: orZero(o.OutsideContract), ExpiresAt: o.ExpiresAt}
		for _, it := range o.Items {
			n.Items = append(n.Items, order.NewItem{Name: it.Name, Specification: orZero(it.Specification), Quantity: it.Quantity,
				Period: orZero(it.Period), Amount: amountOf(it.Amount)})
		}
		out.Orders[i] = n
	}
	return out, err
}
