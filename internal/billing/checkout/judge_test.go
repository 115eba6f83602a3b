package checkout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/models"
)

// made makes orders from words: what each is like, and a bundle by a letter behind it.
func made(words ...string) (out []models.Order) {
	past := day.Add(-time.Second)
	for i, w := range words {
		o := models.Order{ID: id(byte(i + 1)), Number: fmt.Sprint(i + 1), Status: models.OrderPendingPayment}
		like, bundle, _ := strings.Cut(w, "/")
		if bundle != "" {
			o.BundleID = models.ID{9, bundle[0]}
		}
		switch like {
		case "good":
		case "review":
			o.Status = models.OrderPendingReview
		case "confirm":
			o.Status = models.OrderPendingConfirmation
		case "canceled":
			o.Status = models.OrderCanceled
		case "paid":
			o.Status = models.OrderProcessing
		case "expired":
			o.Status = models.OrderExpired
		case "late":
			o.ExpiresAt = &past
		case "held":
			o.ActivePaymentID = models.ID{7}
		default:
			panic(like)
		}
		out = append(out, o)
	}
	return out
}

func repeated(n int, word string) (out []string) {
	for range n {
		out = append(out, word)
	}
	return out
}

func told(j Judgement) string {
	var out []string
	for _, b := range j.Blocked {
		out = append(out, b.Order.Number+":"+b.Code)
	}
	return strings.Join(out, " ")
}

// The order of judgement (contract §5) and each order's own cause (§7): HW-3, HW-8, HW-9, HW-13 to HW-18, D1.
func TestJudge(t *testing.T) {
	const (
		merged, single = true, false
		R, C, S, X, H  = "ORDER_PENDING_REVIEW", "ORDER_PENDING_CONFIRMATION", "ORDER_STATUS_CHANGED", "ORDER_EXPIRED", "ORDER_BEING_PAID"
		L, A           = "LINKED_ORDERS_NOT_PAYABLE", "ALL_ORDERS_STATUS_CHANGED"
	)
	for name, c := range map[string]struct {
		merged    bool
		asked     []string
		linked    []string
		code      string
		blocked   string
		remaining int
		rest      bool // PAY_REMAINING may go on
	}{
		"all good":                                  {merged: merged, asked: []string{"good", "good"}, remaining: 2, rest: true},
		"thirty (HW-13)":                            {merged: merged, asked: repeated(30, "good"), remaining: 30, rest: true},
		"thirty with linked ones (D1)":              {merged: merged, asked: append(repeated(28, "good"), "good/a"), linked: []string{"good/a"}, remaining: 30, rest: true},
		"thirty-one":                                {merged: merged, asked: repeated(31, "good"), code: CodeTooManyOrders},
		"thirty-one with linked ones (D1)":          {merged: merged, asked: append(repeated(29, "good"), "good/a"), linked: []string{"good/a"}, code: CodeTooManyOrders},
		"too many comes before in review":           {merged: merged, asked: repeated(31, "review"), code: CodeTooManyOrders},
		"none":                                      {merged: merged, code: CodeNoOrders},
		"one in review (HW-17)":                     {merged: merged, asked: []string{"good", "review", "confirm", "canceled"}, code: R, blocked: "2:" + R + " 3:" + C + " 4:" + S, remaining: 1},
		"one to be confirmed (HW-18)":               {merged: merged, asked: []string{"canceled", "good", "confirm"}, code: C, blocked: "1:" + S + " 3:" + C, remaining: 1},
		"all changed (HW-16)":                       {merged: merged, asked: []string{"canceled", "paid", "expired"}, code: A, blocked: "1:" + S + " 2:" + S + " 3:" + X},
		"one, and it changed: all changed":          {merged: merged, asked: []string{"canceled"}, code: A, blocked: "1:" + S},
		"some changed (HW-15)":                      {merged: merged, asked: []string{"good", "canceled", "good"}, code: S, blocked: "2:" + S, remaining: 2, rest: true},
		"expired, swept or not, has changed (HW-3)": {merged: merged, asked: []string{"late", "good"}, code: S, blocked: "1:" + X, remaining: 1, rest: true},
		"held":                                        {merged: merged, asked: []string{"held", "good"}, code: H, blocked: "1:" + H, remaining: 1, rest: true},
		"all held":                                    {merged: merged, asked: []string{"held", "held"}, code: H, blocked: "1:" + H + " 2:" + H},
		"changed and held":                            {merged: merged, asked: []string{"held", "paid", "good"}, code: S, blocked: "1:" + H + " 2:" + S, remaining: 1, rest: true},
		"nothing left":                                {merged: merged, asked: []string{"held", "paid"}, code: A, blocked: "1:" + H + " 2:" + S},
		"a bundle goes as a whole (HW-8)":             {merged: merged, asked: []string{"good/a", "good"}, linked: []string{"canceled/a", "good/a"}, code: S, blocked: "1:" + L + " 3:" + S + " 4:" + L, remaining: 1, rest: true},
		"a bundle in review (HW-9)":                   {merged: merged, asked: []string{"good/a", "good"}, linked: []string{"review/a"}, code: R, blocked: "1:" + L + " 3:" + R, remaining: 1},
		"nothing but a broken bundle":                 {merged: merged, asked: []string{"good/a"}, linked: []string{"canceled/a"}, code: A, blocked: "1:" + L + " 2:" + S},
		"two bundles":                                 {merged: merged, asked: []string{"good/a", "good/b"}, linked: []string{"good/b", "late/a"}, code: S, blocked: "1:" + L + " 4:" + X, remaining: 2, rest: true},
		"pay: changed":                                {merged: single, asked: []string{"paid"}, code: S, blocked: "1:" + S},
		"pay: expired":                                {merged: single, asked: []string{"expired"}, code: X, blocked: "1:" + X},
		"pay: late":                                   {merged: single, asked: []string{"late"}, code: X, blocked: "1:" + X},
		"pay: held":                                   {merged: single, asked: []string{"held"}, code: H, blocked: "1:" + H},
		"pay: in review, linked ones too":             {merged: single, asked: []string{"review/a"}, linked: []string{"good/a"}, code: R, blocked: "1:" + R + " 2:" + L},
		"pay: a linked one in review (HW-9)":          {merged: single, asked: []string{"good/a"}, linked: []string{"review/a"}, code: R, blocked: "1:" + L + " 2:" + R},
		"pay: a linked one to be confirmed":           {merged: single, asked: []string{"good/a"}, linked: []string{"confirm/a"}, code: C, blocked: "1:" + L + " 2:" + C},
		"pay: the asked order's own cause is first":   {merged: single, asked: []string{"held/a"}, linked: []string{"canceled/a"}, code: H, blocked: "1:" + H + " 2:" + S},
		"pay: a linked one changed":                   {merged: single, asked: []string{"good/a"}, linked: []string{"canceled/a"}, code: S, blocked: "1:" + L + " 2:" + S},
		"pay: a linked one expired":                   {merged: single, asked: []string{"good/a"}, linked: []string{"expired/a"}, code: X, blocked: "1:" + L + " 2:" + X},
		"pay: more linked ones than may be (HW-13)":   {merged: single, asked: []string{"good/a"}, linked: repeated(30, "good/a"), code: CodeTooManyOrders},
		"pay: thirty orders in a bundle are paid":     {merged: single, asked: []string{"good/a"}, linked: repeated(29, "good/a"), remaining: 30, rest: true},
		"pay: another bundle's trouble is not theirs": {merged: merged, asked: []string{"good/a", "good/b"}, linked: []string{"canceled/b"}, code: S, blocked: "2:" + L + " 3:" + S, remaining: 1, rest: true},
	} {
		t.Run(name, func(t *testing.T) {
			orders := made(append(append([]string{}, c.asked...), c.linked...)...)
			p := order.Paying{Asked: orders[:len(c.asked)], Linked: orders[len(c.asked):]}
			j, f := Judge(p, day, 30, c.merged)
			code := ""
			if f != nil {
				code = f.Code
				if want := fieldOf(c.merged); strings.Join(f.Field, ".") != "input."+want {
					t.Errorf("at %v", f.Field)
				}
				if d, _ := f.Detail.(*fault.OrdersNotPayable); (d != nil) != (c.blocked != "") || d != nil && (len(d.Blocked) != len(j.Blocked) || len(d.Remaining) != c.remaining) {
					t.Errorf("detail %+v", f.Detail)
				}
			}
			if code != c.code || told(j) != c.blocked || len(j.Remaining) != c.remaining {
				t.Errorf("%s, blocked %s, %d remain", code, told(j), len(j.Remaining))
			}
			if j.MayRemain() != c.rest {
				t.Errorf("may remain: %v", j.MayRemain())
			}
		})
	}
}
