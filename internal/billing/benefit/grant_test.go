package benefit_test

import (
	"context"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/models"
)

func ref[T any](v T) *T { return &v }

// HW-R11: a coupon carries its validity, products, minimum spend and what it may not stand beside; what is granted is what is read.
func TestGrantCoupons(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		g := e.cash("12.34")
		g.Name, g.Kind, g.Count = "  双十一  ", models.CouponVoucher, ref(100)
		g.MinimumSpend, g.ProductTypes = ref(yuan("50")), []string{" ecs ", "db", "ecs"}
		g.NotWith = []models.DiscountKind{models.DiscountCommercial, models.DiscountPromotion, models.DiscountCommercial}
		g.ValidFrom = ref(e.clock.Now().Add(time.Hour + time.Nanosecond).In(time.FixedZone("x", 3600)))
		out, err := e.Grant(e.ctx, g)
		e.must(err)
		want := models.Coupon{AccountID: e.account, ID: out[0].ID, GrantID: out[0].GrantID, Name: "双十一", Kind: models.CouponVoucher, Currency: "CNY", Face: 1234, Remaining: 1234, MinimumSpend: 5000,
			ProductTypes: models.Texts{"ecs", "db"}, NotWith: models.Texts{"COMMERCIAL", "PROMOTION"}, ValidFrom: e.clock.Now().Add(time.Hour), ValidTo: g.ValidTo, CreatedAt: e.clock.Now(), UpdatedAt: e.clock.Now()}
		if !reflect.DeepEqual(out[0], want) {
			t.Errorf("%+v\nwant %+v", out[0], want)
		}
		if read := e.read(out[0]); !reflect.DeepEqual(read, want) {
			t.Errorf("read %+v\nwant %+v", read, want)
		}
		ids := map[models.ID]bool{}
		for _, c := range out {
			ids[c.ID] = true
		}
		if n, err := e.Count(e.ctx, e.account, false); len(out) != 100 || len(ids) != 100 || n != 100 || err != nil {
			t.Error(len(out), len(ids), n, err)
		}
		if one, err := e.Grant(e.ctx, e.cash("0.01")); err != nil || len(one) != 1 || one[0].ValidFrom != e.clock.Now() || one[0].MinimumSpend != 0 {
			t.Errorf("%+v %v", one, err)
		}
		e.sound()
	})
}

func TestGrantCouponsRefuses(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		closed, past := e.openAccount(models.AccountClosed), e.clock.Now()
		for name, c := range map[string]struct {
			change     func(g *benefit.Coupons)
			code, path string
		}{
			"no such account":       {func(g *benefit.Coupons) { g.AccountID = models.NewID() }, "ACCOUNT_NOT_FOUND", "accountId"},
			"a closed account":      {func(g *benefit.Coupons) { g.AccountID = closed }, "ACCOUNT_NOT_ACTIVE", "accountId"},
			"no name":               {func(g *benefit.Coupons) { g.Name = "  " }, "INVALID_INPUT", "name"},
			"a long name":           {func(g *benefit.Coupons) { g.Name = strings.Repeat("名", 201) }, "INVALID_INPUT", "name"},
			"a card number":         {func(g *benefit.Coupons) { g.Name = "for 4242 4242 4242 4242" }, "CARD_DATA_NOT_ACCEPTED", "name"},
			"another kind":          {func(g *benefit.Coupons) { g.Kind = "POINTS" }, "INVALID_INPUT", "kind"},
			"nothing":               {func(g *benefit.Coupons) { g.Face = yuan("0.00") }, "AMOUNT_INVALID", "face"},
			"below nothing":         {func(g *benefit.Coupons) { g.Face = yuan("-1") }, "AMOUNT_INVALID", "face"},
			"half a cent":           {func(g *benefit.Coupons) { g.Face = yuan("0.005") }, "AMOUNT_INVALID", "face"},
			"more than there is":    {func(g *benefit.Coupons) { g.Face = yuan(strings.Repeat("9", 100)) }, "AMOUNT_OUT_OF_RANGE", "face"},
			"dollars":               {func(g *benefit.Coupons) { g.Face = input.Amount{Decimal: "5", Currency: "USD"} }, "CURRENCY_MISMATCH", "face"},
			"a negative spend":      {func(g *benefit.Coupons) { g.MinimumSpend = ref(yuan("-0.01")) }, "AMOUNT_INVALID", "minimumSpend"},
			"spend in dollars":      {func(g *benefit.Coupons) { g.MinimumSpend = &input.Amount{Decimal: "5", Currency: "USD"} }, "CURRENCY_MISMATCH", "minimumSpend"},
			"none":                  {func(g *benefit.Coupons) { g.Count = ref(0) }, "INVALID_INPUT", "count"},
			"too many":              {func(g *benefit.Coupons) { g.Count = ref(101) }, "INVALID_INPUT", "count"},
			"no product":            {func(g *benefit.Coupons) { g.ProductTypes = []string{"ecs", ""} }, "INVALID_INPUT", "productTypes.1"},
			"a card as product":     {func(g *benefit.Coupons) { g.ProductTypes = []string{"5555555555554444"} }, "CARD_DATA_NOT_ACCEPTED", "productTypes.0"},
			"a long product":        {func(g *benefit.Coupons) { g.ProductTypes = []string{strings.Repeat("x", 65)} }, "INVALID_INPUT", "productTypes.0"},
			"many products":         {func(g *benefit.Coupons) { g.ProductTypes = make([]string, 101) }, "INVALID_INPUT", "productTypes"},
			"over already":          {func(g *benefit.Coupons) { g.ValidTo = past }, "INVALID_INPUT", "validTo"},
			"ends before it begins": {func(g *benefit.Coupons) { g.ValidFrom = ref(g.ValidTo) }, "INVALID_INPUT", "validTo"},
			"the year 10000":        {func(g *benefit.Coupons) { g.ValidTo = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) }, "INVALID_INPUT", "validTo"},
			"the year 1":            {func(g *benefit.Coupons) { g.ValidFrom = ref(time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)) }, "INVALID_INPUT", "validFrom"},
			"beside what":           {func(g *benefit.Coupons) { g.NotWith = []models.DiscountKind{"COMMERCIAL", "LUCK"} }, "INVALID_INPUT", "notWithDiscounts.1"},
		} {
			g := e.cash("5")
			c.change(&g)
			_, err := e.Grant(e.keyed("grantCoupons", "k", name), g) // one key for all: what is refused leaves nothing behind
			if f, _ := fault.As(err); f == nil || f.Code != c.code || strings.Join(f.Field, ".") != "input."+c.path {
				t.Errorf("%s: %v, want %s at %s", name, err, c.code, c.path)
			}
		}
		if n, err := e.Count(e.ctx, e.account, false); n != 0 || err != nil {
			t.Error(n, err)
		}
	})
}

// HW-R8: a discount takes a percentage off, of the bounds and the scale that the contract gives.
func TestGrantDiscount(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		for text, units := range map[string]int64{"100": 1_000_000, "100.0000": 1_000_000, "12.5": 125_000, "0.0001": 1, "99.9999": 999_999, "7": 70_000} {
			g := e.off(text)
			g.ProductTypes = []string{"ecs"}
			d := e.grantDiscount(g)
			read, found, err := e.DiscountByID(e.ctx, e.account, d.ID)
			if d.Percent != units || d.Kind != models.DiscountCommercial || !found || err != nil || !reflect.DeepEqual(read, d) {
				t.Errorf("%s: %+v, read %+v %v", text, d, read, err)
			}
		}
		for _, text := range []string{"0", "0.0000", "100.0001", "101", "-5", "12.50000", "0.00001", "", "1e1", "05", " 5", strings.Repeat("9", 100)} {
			_, err := e.GrantDiscount(e.ctx, e.off(text))
			e.refused(err, "INVALID_INPUT", "input.percentOff", "")
		}
		for path, change := range map[string]func(g *benefit.Discount){
			"accountId": func(g *benefit.Discount) { g.AccountID = models.NewID() }, "name": func(g *benefit.Discount) { g.Name = "5555 5555 5555 4444" }, "kind": func(g *benefit.Discount) { g.Kind = "LUCK" },
			"productTypes.0": func(g *benefit.Discount) { g.ProductTypes = []string{""} }, "validTo": func(g *benefit.Discount) { g.ValidTo = e.clock.Now() },
		} {
			g := e.off("5")
			change(&g)
			_, err := e.GrantDiscount(e.ctx, g)
			if f, _ := fault.As(err); f == nil || strings.Join(f.Field, ".") != "input."+path {
				t.Errorf("%s: %v", path, err)
			}
		}
	})
}

// Contract §4: the same key is the same grant, as it now stands; another input is refused; and ten at once grant once.
func TestGrantsHappenOnce(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		g, d := e.cash("5"), e.off("5")
		g.Count = ref(3)
		var mu sync.Mutex
		seen, discounts := map[models.ID]int{}, map[models.ID]int{}
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				coupons, err := e.Grant(e.keyed("grantCoupons", "k", "a"), g)
				discount, discountErr := e.GrantDiscount(e.keyed("grantDiscount", "k", "a"), d)
				mu.Lock()
				defer mu.Unlock()
				if err != nil || discountErr != nil || len(coupons) != 3 {
					t.Error(err, discountErr, len(coupons))
				}
				for _, c := range coupons {
					seen[c.ID]++
				}
				discounts[discount.ID]++
			})
		}
		all.Wait()
		if n, err := e.Count(e.ctx, e.account, false); n != 3 || len(seen) != 3 || len(discounts) != 1 || err != nil {
			t.Error(n, seen, discounts, err)
		}
		_, err := e.Grant(e.keyed("grantCoupons", "k", "b"), g)
		if !fault.Is(err, "IDEMPOTENCY_KEY_REUSED") {
			t.Error(err)
		}
		first, err := e.Grant(e.keyed("grantCoupons", "k", "a"), g)
		e.must(err)
		e.reserved(first[:1], use(first[0], models.NewID(), 200))
		e.must(e.home.Redis.FlushDB(e.ctx).Err())
		again, err := e.Grant(e.keyed("grantCoupons", "k", "a"), g)
		e.must(err)
		i := slices.IndexFunc(again, func(c models.Coupon) bool { return c.ID == first[0].ID })
		if i < 0 || again[i].Remaining != 300 {
			t.Errorf("%+v", again)
		}
	})
}

// A grant belongs to its account: nobody else reads it (contract §2).
func TestBenefitsOfOthersAreNotThere(t *testing.T) {
	each(t, func(t *testing.T, e *env) {
		c, d, other := e.grant(e.cash("5")), e.grantDiscount(e.off("5")), e.openAccount(models.AccountActive)
		if _, found, err := e.ByID(e.ctx, other, c.ID); found || err != nil {
			t.Error("another account reads the coupon", err)
		}
		if _, found, err := e.DiscountByID(e.ctx, other, d.ID); found || err != nil {
			t.Error("another account reads the discount", err)
		}
		_, _, _, err := e.Chosen(e.ctx, other, []string{c.ID.Encode(models.PrefixCoupon)}, "", "CNY", e.clock.Now())
		e.refused(err, "COUPON_NOT_APPLICABLE", "input.couponIds.0", benefit.ReasonUnknown)
		_, _, _, err = e.Chosen(e.ctx, other, nil, d.ID.Encode(models.PrefixDiscount), "CNY", e.clock.Now())
		e.refused(err, "DISCOUNT_NOT_APPLICABLE", "input.discountId", benefit.ReasonUnknown)
		coupons, err := e.ByIDsAnywhere(context.Background(), []models.ID{c.ID})
		discounts, err2 := e.DiscountsAnywhere(context.Background(), []models.ID{d.ID})
		if len(coupons) != 1 || len(discounts) != 1 || err != nil || err2 != nil {
			t.Error(coupons, discounts, err, err2)
		}
		uses := []models.PaymentCoupon{use(c, models.NewID(), 1)}
		if err := e.Reserve(e.ctx, other, models.NewID(), []models.Coupon{c}, uses, e.clock.Now()); err != benefit.ErrTaken {
			t.Error("another account reserves it", err)
		}
	})
}
