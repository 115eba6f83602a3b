package resolvers

import (
	"context"
	"errors"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/input"
	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

func (v view) payment(p models.Payment) *model.Payment { return v.payments([]models.Payment{p})[0] }

func (v view) payments(rows []models.Payment) []*model.Payment {
	out := make([]*model.Payment, len(rows))
	cohort := &model.Payments{Members: out}
	for i := range rows {
		out[i] = v.mapPayment(rows[i])
		out[i].Cohort = cohort
	}
	return out
}

func (v view) mapPayment(p models.Payment) *model.Payment {
	return &model.Payment{
		ID: p.ID.Encode(models.PrefixPayment), Number: p.Number, Purpose: model.PaymentPurpose(p.Purpose), Status: model.PaymentStatus(p.Status),
		Amount: v.money(p.Amount, p.Currency), Parts: v.parts(p), NextAction: v.nextAction(p), Failure: v.failure(p),
		Refunded: v.money(p.Refunded, p.Currency), CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt, CompletedAt: p.CompletedAt, Version: int(p.Version),
		Key: p.ID, AccountID: p.AccountID,
	}
}

// parts are what the amount is made of; a total of zero is a balance part of zero (contract §7).
func (v view) parts(p models.Payment) (out []*model.PaymentPart) {
	add := func(kind model.FundingKind, minor int64) *model.PaymentPart {
		part := &model.PaymentPart{Kind: kind, Amount: v.money(minor, p.Currency), Status: model.PaymentStatus(p.Status)}
		out = append(out, part)
		return part
	}
	if p.BalanceAmount > 0 || p.Amount == 0 {
		add(model.FundingKindBalance, p.BalanceAmount)
	}
	if p.OnlineAmount > 0 {
		part, channel := add(model.FundingKindOnline, p.OnlineAmount), model.PaymentChannel(p.Channel)
		part.Channel, part.ChannelReference, part.Method = &channel, textOrNil(p.ChannelReference), v.usedCard(p.Terms.Card)
	}
	if p.PartnerAmount > 0 {
		add(model.FundingKindPartner, p.PartnerAmount)
	}
	return out
}

// usedCard is the card that paid, as it was then.
func (v view) usedCard(c *models.UsedCard) *model.MethodSnapshot {
	if c == nil {
		return nil
	}
	brand := model.CardBrand(c.Brand)
	return &model.MethodSnapshot{Label: messages.CardBrand(v.locale, c.Brand) + " •••• " + c.Last4, Brand: &brand, Last4: &c.Last4}
}

// nextAction is what the payer has to do (PA-10, HW-28); null unless the payment waits for it.
func (v view) nextAction(p models.Payment) model.PaymentAction {
	if p.Status != models.PaymentRequiresAction {
		return nil
	}
	end := p.ActionExpiresAt
	if end == nil {
		end = p.ExpiresAt
	}
	if end == nil {
		end = &p.CreatedAt
	}
	switch p.ActionKind {
	case models.ActionAwaitPartner:
		return model.AwaitPartner{ExpiresAt: *end, PartnerID: p.PartnerID}
	case models.ActionScanQR:
		return model.ScanQRCode{Content: p.ActionContent, ImageURL: v.r.s.QRImage(p.ID), ExpiresAt: *end}
	case models.ActionRedirect:
		fields := make([]*model.FormField, len(p.ActionFields))
		for i, f := range p.ActionFields {
			fields[i] = &model.FormField{Name: f.Name, Value: f.Value}
		}
		return model.Redirect{URL: p.ActionContent, Method: model.RedirectMethod(p.ActionMethod), Fields: fields, ExpiresAt: *end}
	}
	return nil
}

func (v view) failure(p models.Payment) *model.PaymentFailure {
	if p.Status != models.PaymentFailed {
		return nil
	}
	code := p.FailureCode
	if code == "" {
		code = "PAYMENT_DECLINED"
	}
	if code == "PAYMENT_DECLINED" && p.PartnerAmount > 0 {
		return v.refusal(p)
	}
	return &model.PaymentFailure{Code: model.UserErrorCode(code), Remedy: messages.Remedy(v.locale, code),
		Message: messages.Text(v.locale, code, map[string]any{"channel": p.Channel})}
}

func (v view) events(p *model.Payment, rows []models.PaymentEvent) []*model.PaymentEvent {
	args := map[string]any{}
	for _, part := range p.Parts {
		if part.Channel != nil {
			args["channel"] = models.PaymentChannel(*part.Channel)
		}
	}
	out := make([]*model.PaymentEvent, len(rows))
	for i, e := range rows {
		out[i] = &model.PaymentEvent{At: e.At, Status: model.PaymentStatus(e.Status), Note: messages.Text(v.locale, e.Note, args), Version: int(e.Version)}
	}
	return out
}

func (r *Resolver) paymentPage(ctx context.Context, account models.ID, filter *model.PaymentFilter, p page.Page) (*model.PaymentConnection, error) {
	f := paymentFilter(filter)
	f.AsPartner = asPartner(ctx, account)
	list, err := r.s.Payments.List(ctx, account, f, p)
	if err != nil {
		return nil, err
	}
	nodes := r.view(ctx).payments(list.Items)
	out := &model.PaymentConnection{PageInfo: pageInfo(list), Nodes: nodes}
	if selects(ctx, "edges") {
		out.Edges = edges(list, nodes, func(c string, p *model.Payment) *model.PaymentEdge { return &model.PaymentEdge{Cursor: c, Node: p} })
	}
	if selects(ctx, "totalCount") {
		n, err := r.s.Payments.Count(ctx, account, f)
		if err != nil {
			return nil, err
		}
		out.TotalCount = count(n)
	}
	return out, nil
}

func paymentFilter(f *model.PaymentFilter) (out payment.Filter) {
	if f == nil {
		return out
	}
	out = payment.Filter{CreatedFrom: f.CreatedFrom, CreatedTo: f.CreatedTo}
	for _, p := range f.Purposes {
		out.Purposes = append(out.Purposes, models.PaymentPurpose(p))
	}
	for _, s := range f.Statuses {
		out.Statuses = append(out.Statuses, models.PaymentStatus(s))
	}
	return out
}

// payer is who pays: always the token's account, never the input's.
func payer(ctx context.Context) payment.Payer {
	v := auth.From(ctx)
	p := payment.Payer{AccountID: v.AccountID, UserID: v.UserID, Locale: locale.From(ctx)}
	if from := auth.Address(ctx); from.IsValid() {
		p.IP = from.String()
	}
	return p
}

// toMoney reads an amount in the currency it names. Faults: CURRENCY_MISMATCH for one nobody knows, AMOUNT_INVALID, AMOUNT_OUT_OF_RANGE.
func toMoney(in model.MoneyInput, field ...string) (money.Money, error) {
	m, err := money.Parse(in.Amount, money.Currency(in.Currency))
	switch {
	case errors.Is(err, money.ErrCurrency):
		return m, fault.New("CURRENCY_MISMATCH", field...)
	case errors.Is(err, money.ErrOverflow):
		return m, fault.New("AMOUNT_OUT_OF_RANGE", field...)
	case err != nil || m.Negative():
		return m, fault.New("AMOUNT_INVALID", field...)
	}
	return m, nil
}

func online(in model.OnlineFundingInput, field ...string) (payment.Online, error) {
	if input.HoldsCardNumber(orZero(in.CardToken)) { // before anything else: it is on its way to nowhere (contract.md §7)
		return payment.Online{}, fault.New("CARD_DATA_NOT_ACCEPTED", append(field[:len(field):len(field)], "cardToken")...)
	}
	amount, err := toMoney(in.Amount, append(field[:len(field):len(field)], "amount")...)
	return payment.Online{Channel: models.PaymentChannel(in.Channel), Amount: amount, BankCode: orZero(in.BankCode), ReturnURL: orZero(in.ReturnURL),
		PaymentMethodID: orZero(in.PaymentMethodID), CardToken: orZero(in.CardToken), SaveCard: orZero(in.SaveCard), Display: channel.Display(orZero(in.Display))}, err
}

func funding(in model.FundingInput) (out payment.Funding, err error) {
	if in.Partner != nil {
		message, err := input.Text(orZero(in.Partner.Message), false, input.MaxReason, "input", "funding", "partner", "message")
		if err != nil {
			return out, err
		}
		out.Partner = &payment.PartnerPart{Message: message}
	}
	if in.Balance != nil {
		m, err := toMoney(*in.Balance, "input", "funding", "balance")
		if err != nil {
			return out, err
		}
		out.Balance = &m
	}
	if in.Online != nil {
		o, err := online(*in.Online, "input", "funding", "online")
		if err != nil {
			return out, err
		}
		out.Online = &o
	}
	return out, nil
}

func payInput(in model.PayInput) (out payment.PayInput, err error) {
	if out.OrderID, err = orderID(in.OrderID); err != nil {
		return out, err
	}
	out.Agreed, err = agreed(in.Funding, in.ExpectedTotal, payment.Agreed{CouponIDs: in.CouponIds, DiscountID: orZero(in.DiscountID),
		ConfirmOutsideContract: orZero(in.ConfirmOutsideContract), VerificationCode: orZero(in.VerificationCode)})
	return out, err
}

// agreed adds the amounts to what pay and mergePay have in common.
func agreed(f model.FundingInput, expected *model.MoneyInput, a payment.Agreed) (_ payment.Agreed, err error) {
	if expected != nil {
		m, err := toMoney(*expected, "input", "expectedTotal")
		if err != nil {
			return a, err
		}
		a.ExpectedTotal = &m
	}
	a.Funding, err = funding(f)
	return a, err
}

// allocations shows shares by payment, in their order; an order that is gone (it never is) would leave its share out.
func (v view) allocations(shares []models.PaymentOrder, orders map[models.ID]*model.Order) map[models.ID][]*model.PaymentAllocation {
	out := make(map[models.ID][]*model.PaymentAllocation)
	for _, a := range shares {
		o := orders[a.OrderID]
		if o == nil {
			continue
		}
		currency := o.AmountDue.Currency()
		out[a.PaymentID] = append(out[a.PaymentID], &model.PaymentAllocation{Order: o, Amount: v.money(a.Amount, currency),
			Discount: v.money(a.Discount, currency), Coupon: v.money(a.Coupon, currency), Due: v.money(a.Due, currency)})
	}
	return out
}
