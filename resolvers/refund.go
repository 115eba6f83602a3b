package resolvers

import (
	"context"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/refund"
	"paydesk/internal/platform/auth"
	"paydesk/models"
)

// Refunds is what the face needs of refund.Service.
type Refunds interface {
	Refund(ctx context.Context, in refund.Input) (models.Payment, error)
	ByIDs(ctx context.Context, account models.ID, ids []models.ID) ([]models.Refund, error)
	ByIDsAnywhere(ctx context.Context, ids []models.ID) ([]models.Refund, error)
	ForPartner(ctx context.Context, account models.ID, ids []models.ID) ([]models.Refund, error)
	OfPayments(ctx context.Context, account models.ID, payments []models.ID) (map[models.ID][]models.Refund, error)
}

func (r *Resolver) refundPayment(ctx context.Context, in model.RefundPaymentInput) (*model.RefundPaymentPayload, error) {
	out := refund.Input{Reason: in.Reason, By: auth.From(ctx).UserID}
	var err error
	if out.PaymentID, err = models.Decode(models.PrefixPayment, in.PaymentID); err != nil {
		return nil, fault.New("PAYMENT_NOT_FOUND", "input", "paymentId")
	}
	if in.OrderID != nil {
		if out.OrderID, err = models.Decode(models.PrefixOrder, *in.OrderID); err != nil {
			out.OrderID = models.NewID() // nobody's: what is no id of an order is refused like one that is not there, in its turn
		}
	}
	if in.Amount != nil {
		amount, err := toMoney(*in.Amount, "input", "amount")
		if err != nil {
			return nil, err
		}
		out.Amount = &amount
	}
	p, err := r.s.Refunds.Refund(ctx, out)
	if err != nil {
		return nil, err
	}
	return &model.RefundPaymentPayload{Payment: r.view(ctx).payment(p)}, nil
}

// refundsOf are the refunds of payments, newest first: one statement for all of them.
func (r *Resolver) refundsOf(ctx context.Context, p *model.Payment) ([]*model.Refund, error) {
	found, err := model.Together(p.Cohort, "refunds", func(payments []*model.Payment) (map[models.ID][]*model.Refund, error) {
		v, out := r.view(ctx), map[models.ID][]*model.Refund{}
		for account, ids := range group(payments, paymentKey) {
			byPayment, err := r.s.Refunds.OfPayments(ctx, account, ids)
			if err != nil {
				return nil, err
			}
			for id, rows := range byPayment {
				for _, row := range rows {
					out[id] = append(out[id], v.refund(row))
				}
			}
		}
		return out, nil
	})
	return found[p.Key], err
}

func (v view) refund(r models.Refund) *model.Refund {
	return &model.Refund{ID: r.ID.Encode(models.PrefixRefund), Amount: v.money(r.Amount, r.Currency), Status: model.RefundStatus(r.Status), Reason: r.Reason, CreatedAt: r.CreatedAt}
}

func (r *Resolver) readRefunds(ctx context.Context, v *auth.Viewer, ids []models.ID, out map[string]model.Node) error {
	var rows []models.Refund
	var err error
	switch {
	case v.Role.AnyAccount():
		rows, err = r.s.Refunds.ByIDsAnywhere(ctx, ids)
	case asPartner(ctx, v.AccountID): // who may see a payment may see what went back of it
		rows, err = r.s.Refunds.ForPartner(ctx, v.AccountID, ids)
	default:
		rows, err = r.s.Refunds.ByIDs(ctx, v.AccountID, ids)
	}
	for _, row := range rows {
		n := r.view(ctx).refund(row)
		out[n.ID] = n
	}
	return err
}
