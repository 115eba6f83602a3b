package resolvers

import (
	"context"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"paydesk/graph/model"
)

// planned types: those that hot operations read (performance.md). A test compares each with what gqlgen would write.

// asPlan answers with a plan where the type has one.
func asPlan(ctx context.Context, res any) any {
	switch v := res.(type) {
	case *model.OrderConnection:
		return plan(ctx, orderConnections, v)
	case *model.TransactionConnection:
		return plan(ctx, transactionConnections, v)
	case *model.Balance:
		return plan(ctx, balances, v)
	case *model.Order:
		return plan(ctx, orders, v)
	}
	return res
}

var moneys = &table[model.Money]{"Money", []string{"Money"}, map[string]column[model.Money]{
	"amount": leaf(func(b []byte, m *model.Money) []byte {
		return append(append(append(b, '"'), m.Value.Decimal()...), '"')
	}),
	"currency": leaf(func(b []byte, m *model.Money) []byte {
		return append(append(append(b, '"'), m.Value.Currency...), '"')
	}),
	"formatted": func(_ *graphql.OperationContext, f graphql.CollectedField) emit[model.Money] {
		if len(f.Arguments) > 0 {
			return nil
		}
		return func(b []byte, m *model.Money) []byte { return appendText(b, m.Formatted(nil)) }
	},
}}

var pageInfos = &table[model.PageInfo]{"PageInfo", []string{"PageInfo"}, map[string]column[model.PageInfo]{
	"hasNextPage":     truth(func(p *model.PageInfo) bool { return p.HasNextPage }),
	"hasPreviousPage": truth(func(p *model.PageInfo) bool { return p.HasPreviousPage }),
	"startCursor":     optional(func(p *model.PageInfo) *string { return p.StartCursor }),
	"endCursor":       optional(func(p *model.PageInfo) *string { return p.EndCursor }),
}}

var payabilities = &table[model.Payability]{"Payability", []string{"Payability"}, map[string]column[model.Payability]{
	"payable": truth(func(p *model.Payability) bool { return p.Payable }),
	"code":    optional(func(p *model.Payability) *model.UserErrorCode { return p.Code }),
	"message": optional(func(p *model.Payability) *string { return p.Message }),
}}

var orderItems = &table[model.OrderItem]{"OrderItem", []string{"OrderItem"}, map[string]column[model.OrderItem]{
	"id":            text(func(i *model.OrderItem) string { return i.ID }),
	"name":          text(func(i *model.OrderItem) string { return i.Name }),
	"specification": optional(func(i *model.OrderItem) *string { return i.Specification }),
	"quantity":      number(func(i *model.OrderItem) int { return i.Quantity }),
	"period":        optional(func(i *model.OrderItem) *string { return i.Period }),
	"amount":        object(moneys, func(i *model.OrderItem) *model.Money { return &i.Amount }),
}}

var orders = &table[model.Order]{"Order", []string{"Order", "Node"}, map[string]column[model.Order]{
	"id":              text(func(o *model.Order) string { return o.ID }),
	"number":          text(func(o *model.Order) string { return o.Number }),
	"status":          text(func(o *model.Order) string { return string(o.Status) }),
	"type":            text(func(o *model.Order) string { return string(o.Type) }),
	"productType":     text(func(o *model.Order) string { return o.ProductType }),
	"chargingMode":    text(func(o *model.Order) string { return string(o.ChargingMode) }),
	"items":           list(orderItems, func(o *model.Order) []*model.OrderItem { return o.Items }),
	"listAmount":      object(moneys, func(o *model.Order) *model.Money { return &o.ListAmount }),
	"amountDue":       object(moneys, func(o *model.Order) *model.Money { return &o.AmountDue }),
	"paid":            object(moneys, func(o *model.Order) *model.Money { return &o.Paid }),
	"outsideContract": truth(func(o *model.Order) bool { return o.OutsideContract }),
	"payability":      object(payabilities, func(o *model.Order) *model.Payability { return &o.Payability }),
	"createdAt":       moment(func(o *model.Order) *time.Time { return &o.CreatedAt }),
	"expiresAt":       moment(func(o *model.Order) *time.Time { return o.ExpiresAt }),
}}

var orderEdges = &table[model.OrderEdge]{"OrderEdge", []string{"OrderEdge"}, map[string]column[model.OrderEdge]{
	"cursor": text(func(e *model.OrderEdge) string { return e.Cursor }),
	"node":   object(orders, func(e *model.OrderEdge) *model.Order { return e.Node }),
}}

var orderConnections = &table[model.OrderConnection]{"OrderConnection", []string{"OrderConnection"}, map[string]column[model.OrderConnection]{
	"edges":      list(orderEdges, func(c *model.OrderConnection) []*model.OrderEdge { return c.Edges }),
	"nodes":      list(orders, func(c *model.OrderConnection) []*model.Order { return c.Nodes }),
	"pageInfo":   object(pageInfos, func(c *model.OrderConnection) *model.PageInfo { return &c.PageInfo }),
	"totalCount": total(func(c *model.OrderConnection) *int { return c.TotalCount }),
}}

var transactions = &table[model.Transaction]{"Transaction", []string{"Transaction", "Node"}, map[string]column[model.Transaction]{
	"id":           text(func(t *model.Transaction) string { return t.ID }),
	"kind":         text(func(t *model.Transaction) string { return string(t.Kind) }),
	"amount":       object(moneys, func(t *model.Transaction) *model.Money { return &t.Amount }),
	"balanceAfter": object(moneys, func(t *model.Transaction) *model.Money { return &t.BalanceAfter }),
	"postedAt":     moment(func(t *model.Transaction) *time.Time { return &t.PostedAt }),
	"note":         text(func(t *model.Transaction) string { return t.Note }),
}}

var transactionEdges = &table[model.TransactionEdge]{"TransactionEdge", []string{"TransactionEdge"}, map[string]column[model.TransactionEdge]{
	"cursor": text(func(e *model.TransactionEdge) string { return e.Cursor }),
	"node":   object(transactions, func(e *model.TransactionEdge) *model.Transaction { return e.Node }),
}}

var transactionConnections = &table[model.TransactionConnection]{"TransactionConnection", []string{"TransactionConnection"}, map[string]column[model.TransactionConnection]{
	"edges":      list(transactionEdges, func(c *model.TransactionConnection) []*model.TransactionEdge { return c.Edges }),
	"nodes":      list(transactions, func(c *model.TransactionConnection) []*model.Transaction { return c.Nodes }),
	"pageInfo":   object(pageInfos, func(c *model.TransactionConnection) *model.PageInfo { return &c.PageInfo }),
	"totalCount": total(func(c *model.TransactionConnection) *int { return c.TotalCount }),
}}

var creditLines = &table[model.CreditLine]{"CreditLine", []string{"CreditLine"}, map[string]column[model.CreditLine]{
	"limit":     object(moneys, func(c *model.CreditLine) *model.Money { return &c.Limit }),
	"used":      object(moneys, func(c *model.CreditLine) *model.Money { return &c.Used }),
	"available": object(moneys, func(c *model.CreditLine) *model.Money { return &c.Available }),
}}

var balances = &table[model.Balance]{"Balance", []string{"Balance"}, map[string]column[model.Balance]{
	"id":           text(func(v *model.Balance) string { return v.ID }),
	"available":    object(moneys, func(v *model.Balance) *model.Money { return &v.Available }),
	"frozen":       object(moneys, func(v *model.Balance) *model.Money { return &v.Frozen }),
	"total":        object(moneys, func(v *model.Balance) *model.Money { return &v.Total }),
	"withdrawable": object(moneys, func(v *model.Balance) *model.Money { return &v.Withdrawable }),
	"credit":       object(creditLines, func(v *model.Balance) *model.CreditLine { return v.Credit }),
	"asOf":         moment(func(v *model.Balance) *time.Time { return &v.AsOf }),
	"version": leaf(func(b []byte, v *model.Balance) []byte {
		return append(strconv.AppendInt(append(b, '"'), v.Version, 10), '"')
	}),
}}

// total is a nullable number.
func total[T any](get func(*T) *int) column[T] {
	return leaf(func(b []byte, v *T) []byte {
		if n := get(v); n != nil {
			return strconv.AppendInt(b, int64(*n), 10)
		}
		return append(b, "null"...)
	})
}
