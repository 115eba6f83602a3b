package benefit

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Bounds of a grant. Columns of the database are as wide.
const (
	maxCount    = 100
	maxProducts = 100
	maxProduct  = 64
)

// Coupons is a grant of coupons that are all alike.
type Coupons struct {
	AccountID    models.ID
	Name         string
	Kind         models.CouponKind
	Face         input.Amount
	MinimumSpend *input.Amount // anything where nil
	ProductTypes []string      // all where empty
	ValidFrom    *time.Time    // now where nil
	ValidTo      time.Time
	Count        *int // 1 where nil
	NotWith      []models.DiscountKind
}

// Grant gives an account coupons, once for a key (contract §4); repeated it gives them as they now stand. Faults with the path:
// ACCOUNT_NOT_FOUND, ACCOUNT_NOT_ACTIVE of a closed account, INVALID_INPUT, CARD_DATA_NOT_ACCEPTED, CURRENCY_MISMATCH, AMOUNT_INVALID,
// AMOUNT_OUT_OF_RANGE.
func (s *Service) Grant(ctx context.Context, g Coupons) ([]models.Coupon, error) {
	var granted []models.Coupon
	out, replayed, err := s.keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		var err error
		if granted, err = s.build(ctx, g); err != nil {
			return idempotency.Outcome{}, err
		}
		out := idempotency.Outcome{Kind: "coupons", Ref: granted[0].GrantID}
		return out, s.insert(ctx, out, granted)
	})
	if err == nil && replayed {
		granted, err = s.coupons(ctx, "SELECT "+columns+" FROM coupons WHERE account_id = ? AND grant_id = ? ORDER BY id", g.AccountID, out.Ref)
	}
	if err != nil {
		return nil, err
	}
	return granted, nil
}

// build checks a grant and makes its rows.
func (s *Service) build(ctx context.Context, g Coupons) ([]models.Coupon, error) {
	currency, err := s.payee(ctx, g.AccountID)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	c := models.Coupon{AccountID: g.AccountID, GrantID: models.NewID(), Kind: g.Kind, Currency: currency, CreatedAt: now, UpdatedAt: now}
	if c.Name, err = input.Text(g.Name, true, input.MaxName, "input", "name"); err != nil {
		return nil, err
	}
	if c.Kind != models.CouponCash && c.Kind != models.CouponVoucher {
		return nil, fault.New("INVALID_INPUT", "input", "kind")
	}
	if err := amounts(&c, g); err != nil {
		return nil, err
	}
	if c.ProductTypes, err = products(g.ProductTypes); err != nil {
		return nil, err
	}
	if c.ValidFrom, c.ValidTo, err = validity(now, g.ValidFrom, g.ValidTo); err != nil {
		return nil, err
	}
	count := 1
	if g.Count != nil {
		count = *g.Count
	}
	if count < 1 || count > maxCount {
		return nil, fault.New("INVALID_INPUT", "input", "count")
	}
	for i, k := range g.NotWith {
		if !slices.Contains(discountKinds, k) {
			return nil, fault.New("INVALID_INPUT", "input", "notWithDiscounts", strconv.Itoa(i))
		}
		if !slices.Contains(c.NotWith, string(k)) {
			c.NotWith = append(c.NotWith, string(k))
		}
	}
	out := make([]models.Coupon, count)
	for i := range out {
		out[i] = c
		out[i].ID = models.NewID()
	}
	return out, nil
}

// discountKinds are all there are (DiscountKind of the schema).
var discountKinds = []models.DiscountKind{models.DiscountCommercial, models.DiscountPromotion, models.DiscountPartnerGranted, models.DiscountPriceAdjustment}

// payee says in which currency an account pays, and so gets.
func (s *Service) payee(ctx context.Context, account models.ID) (currency string, err error) {
	var status string
	found, err := s.db.QueryRow(ctx, []any{&status, &currency}, "SELECT status, currency FROM accounts WHERE id = ?", account)
	switch {
	case err != nil:
		return "", err
	case !found:
		return "", fault.New("ACCOUNT_NOT_FOUND", "input", "accountId")
	case status == string(models.AccountClosed):
		return "", fault.New("ACCOUNT_NOT_ACTIVE", "input", "accountId")
	}
	return currency, nil
}

func amounts(c *models.Coupon, g Coupons) error {
	face, err := g.Face.Parse(c.Currency, "input", "face")
	if err != nil {
		return err
	}
	if face.Minor == 0 {
		return fault.New("AMOUNT_INVALID", "input", "face")
	}
	c.Face, c.Remaining = face.Minor, face.Minor
	if g.MinimumSpend != nil {
		least, err := g.MinimumSpend.Parse(c.Currency, "input", "minimumSpend")
		if err != nil {
			return err
		}
		c.MinimumSpend = least.Minor
	}
	return nil
}

// products checks a list of product types; each is kept once.
func products(in []string) (out models.Texts, err error) {
	if len(in) > maxProducts {
		return nil, fault.New("INVALID_INPUT", "input", "productTypes")
	}
	for i, text := range in {
		if text, err = input.Text(text, true, maxProduct, "input", "productTypes", strconv.Itoa(i)); err != nil {
			return nil, err
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out, nil
}

// validity is from when until when a benefit can be used: until a time to come, in the years that the database knows.
func validity(now time.Time, from *time.Time, to time.Time) (begin, end time.Time, err error) {
	begin, end = now, to.UTC().Truncate(time.Microsecond)
	if from != nil {
		if begin = from.UTC().Truncate(time.Microsecond); begin.Year() < 1970 || begin.Year() > 9999 {
			return begin, end, fault.New("INVALID_INPUT", "input", "validFrom")
		}
	}
	if !end.After(now) || !end.After(begin) || end.Year() > 9999 {
		return begin, end, fault.New("INVALID_INPUT", "input", "validTo")
	}
	return begin, end, nil
}

func (s *Service) insert(ctx context.Context, out idempotency.Outcome, coupons []models.Coupon) error {
	const row = "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
	args := make([]any, 0, 16*len(coupons))
	for _, c := range coupons {
		args = append(args, c.AccountID, c.ID, c.GrantID, c.Name, string(c.Kind), c.Currency, c.Face, c.Remaining, c.MinimumSpend, c.ProductTypes, c.NotWith,
			c.ValidFrom, c.ValidTo, c.PaymentID, c.CreatedAt, c.UpdatedAt)
	}
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.keys.Claim(ctx, out); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, "INSERT INTO coupons ("+columns+") VALUES "+row+strings.Repeat(","+row, len(coupons)-1), args...)
		return err
	})
}
