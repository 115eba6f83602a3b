package resolvers

import (
	"paydesk/graph"
	"paydesk/graph/model"
	"paydesk/internal/platform/page"
)

// recommending is what a checkout costs beside its orders: the search for the cheapest choice may take as long as hundreds of fields, and
// aliases ask for it as often as the limit lets them.
const recommending = 200

// complexities weigh fields whose cost grows with what is asked: a connection is its page times what each element needs. Every
// other field is one and its children.
func complexities() (c graph.ComplexityRoot) {
	c.Query.Nodes = func(child int, ids []string) int { return len(ids)*child + 1 }
	c.Query.Orders = func(child int, _ *model.OrderFilter, _ *model.OrderOrder, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Account.Orders = c.Query.Orders
	c.Query.Payments = func(child int, _ *model.PaymentFilter, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Account.Payments = c.Query.Payments
	c.Query.Transactions = func(child int, _ *model.TransactionFilter, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Account.Transactions = c.Query.Transactions
	c.Account.Remittances = func(child int, _ *model.RemittanceFilter, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Account.Bills = func(child int, _ *model.BillFilter, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.Coupons = func(child int, _ *bool, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.Suspense = func(child int, first *int, _ *string, last *int, _ *string) int { return pageCost(child, first, last) }
	c.Query.Reconciliations = func(child int, _ *model.ReconciliationFilter, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.Differences = func(child int, _ *model.DifferenceFilter, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.Notifications = func(child int, _ *model.NotificationFilter, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.Reconciliations = func(child int, _ *model.ReconciliationFilter, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.Differences = func(child int, _ *model.DifferenceFilter, first *int, _ *string, last *int, _ *string) int {
		return pageCost(child, first, last)
	}
	c.Query.OrderSelection = func(child int, input model.OrderSelectionInput) int {
		return (len(input.Selected)+len(input.Add)+len(input.Remove))*child + 1
	}
	c.Query.Checkout = func(child int, input model.CheckoutInput) int { return len(input.OrderIds)*child + recommending }
	return c
}

// pageCost is the page times its elements; a size that will be refused counts as the largest.
func pageCost(child int, first, last *int) int {
	size := page.DefaultSize
	for _, n := range []*int{first, last} {
		if n != nil {
			size = min(max(*n, 1), page.MaxSize)
		}
	}
	return size*child + 1
}
