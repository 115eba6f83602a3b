package refund

import (
	"paydesk/internal/money"
	"paydesk/models"
)

// Parts are amounts by where they came from, in minor units.
type Parts struct{ Balance, Online, Partner int64 }

func (p Parts) list() []int64 { return []int64{p.Balance, p.Online, p.Partner} }
func (p Parts) sum() int64    { return p.Balance + p.Online + p.Partner }

// Split says how an amount that goes back falls on the parts of a payment, of which done went back before (D10). After each refund the
// parts have gone back in proportion, by largest remainder; what has gone back otherwise before (a channel that refused, a freeze that
// was released) is made up for. No part gives more than it has left, and the last refund gives exactly the rest of each. The amount is
// at most what is left.
func Split(parts, done Parts, amount int64) Parts {
	target := money.Allocate(done.sum()+amount, parts.list())
	behind := make([]int64, len(target))
	for i, d := range done.list() {
		behind[i] = max(target[i]-d, 0)
	}
	give := money.Allocate(amount, behind)
	return Parts{give[0], give[1], give[2]}
}

// spread says how an amount that goes back falls on orders: in proportion to what each has left, by largest remainder, ties by order
// id, as shares come. The amount is at most what is left of all.
func spread(amount int64, shares []models.PaymentOrder) []models.RefundOrder {
	rests := make([]int64, len(shares))
	for i, sh := range shares {
		rests[i] = sh.Due - sh.Refunded
	}
	out := make([]models.RefundOrder, len(shares))
	for i, part := range money.Allocate(amount, rests) {
		out[i] = models.RefundOrder{AccountID: shares[i].AccountID, OrderID: shares[i].OrderID, Amount: part}
	}
	return out
}
