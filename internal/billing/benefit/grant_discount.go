package benefit

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/money"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Discount is a grant of a discount.
type Discount struct {
	AccountID    models.ID
	Name         string
	Kind         models.DiscountKind // COMMERCIAL where empty
	PercentOff   string              // a Decimal: above 0, at most 100, at most four decimals
	ProductTypes []string            // all where empty
	ValidFrom    *time.Time          // now where nil
	ValidTo      time.Time
}

// GrantDiscount gives an account a discount, once for a key (contract §4). Faults as Grant's; a percentage that does not fit is
// INVALID_INPUT.
func (s *Service) GrantDiscount(ctx context.Context, g Discount) (models.Discount, error) {
	var granted models.Discount
	out, replayed, err := s.keys.Do(ctx, func(ctx context.Context) (idempotency.Outcome, error) {
		var err error
		if granted, err = s.buildDiscount(ctx, g); err != nil {
			return idempotency.Outcome{}, err
		}
		out := idempotency.Outcome{Kind: "discount", Ref: granted.ID}
		return out, s.insertDiscount(ctx, out, granted)
	})
	if err == nil && replayed {
		granted, _, err = s.DiscountByID(ctx, g.AccountID, out.Ref)
	}
	if err != nil {
		return models.Discount{}, err
	}
	return granted, nil
}

func (s *Service) buildDiscount(ctx context.Context, g Discount) (d models.Discount, err error) {
	if _, err = s.payee(ctx, g.AccountID); err != nil {
		return d, err
	}
	now := s.clock.Now()
	d = models.Discount{AccountID: g.AccountID, ID: models.NewID(), Kind: g.Kind, CreatedAt: now}
	if d.Kind == "" {
		d.Kind = models.DiscountCommercial
	}
	if d.Name, err = input.Text(g.Name, true, input.MaxName, "input", "name"); err != nil {
		return d, err
	}
	if !slices.Contains(discountKinds, d.Kind) {
		return d, fault.New("INVALID_INPUT", "input", "kind")
	}
	var ok bool
	if d.Percent, ok = percent(g.PercentOff); !ok {
		return d, fault.New("INVALID_INPUT", "input", "percentOff")
	}
	if d.ProductTypes, err = products(g.ProductTypes); err != nil {
		return d, err
	}
	d.ValidFrom, d.ValidTo, err = validity(now, g.ValidFrom, g.ValidTo)
	return d, err
}

// percent reads a Decimal above 0 and at most 100, with at most four decimals, in units of 1/PercentScale.
func percent(text string) (units int64, ok bool) {
	whole, fraction, _ := strings.Cut(text, ".")
	const decimals = 4 // of models.PercentScale
	if !money.ValidDecimal(text) || len(whole) > 3 || len(fraction) > decimals {
		return 0, false
	}
	units, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", decimals-len(fraction)), 10, 64)
	return units, err == nil && units > 0 && units <= 100*models.PercentScale
}

func (s *Service) insertDiscount(ctx context.Context, out idempotency.Outcome, d models.Discount) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		if err := s.keys.Claim(ctx, out); err != nil {
			return err
		}
		_, err := s.db.Exec(ctx, "INSERT INTO discounts ("+discountColumns+") VALUES (?,?,?,?,?,?,?,?,?)",
			d.AccountID, d.ID, d.Name, string(d.Kind), d.Percent, d.ProductTypes, d.ValidFrom, d.ValidTo, d.CreatedAt)
		return err
	})
}
