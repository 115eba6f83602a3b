package resolvers

import (
	"context"
	"time"

	"paydesk/graph/model"
	"paydesk/internal/money"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/locale"
)

// view is what mapping needs to know of a request: its language and the product's time.
type view struct {
	r      *Resolver
	locale string
	now    time.Time
	staff  bool // who asks works for any account, and has none
}

func (r *Resolver) view(ctx context.Context) view {
	viewer := auth.From(ctx)
	return view{r, locale.From(ctx), r.s.Clock.Now(), viewer != nil && viewer.Role.AnyAccount()}
}

func (v view) money(minor int64, currency string) model.Money {
	return model.NewMoney(minor, currency, v.locale)
}

func (v view) amount(m money.Money) model.Money { return model.Money{Value: m, Locale: v.locale} }

// textOrNil is null for what is not there.
func textOrNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// orZero reads an optional input.
func orZero[T any](p *T) (zero T) {
	if p == nil {
		return zero
	}
	return *p
}

func count(n int64) *int { i := int(n); return &i }
