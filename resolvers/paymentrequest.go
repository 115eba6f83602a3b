package resolvers

import (
	"context"
	"strconv"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/order"
	"paydesk/internal/billing/paymentrequest"
	"paydesk/models"
)

// PaymentRequests is what the face needs of paymentrequest.Service.
type PaymentRequests interface {
	Create(ctx context.Context, in paymentrequest.Input) (paymentrequest.Request, error)
}

func (r *Resolver) createPaymentRequest(ctx context.Context, input model.CreatePaymentRequestInput) (*model.CreatePaymentRequestPayload, error) {
	ids, err := orderIDs(input.OrderIds)
	if err != nil {
		return nil, err
	}
	who := payer(ctx)
	made, err := r.s.Requests.Create(ctx, paymentrequest.Input{AccountID: who.AccountID, UserID: who.UserID, Locale: who.Locale, OrderIDs: ids,
		CouponIDs: input.CouponIds, DiscountID: orZero(input.DiscountID)})
	if err != nil {
		return nil, err
	}
	return &model.CreatePaymentRequestPayload{Document: r.view(ctx).attachment(made.Document), ValidUntil: &made.ValidUntil}, nil
}

// orderIDs reads the ids of a list that is to be paid. Fault: ORDER_NOT_FOUND at the first that is none.
func orderIDs(texts []string) ([]models.ID, error) {
	ids := make([]models.ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = models.Decode(models.PrefixOrder, text); err != nil {
			return nil, fault.New(order.CodeNotFound, "input", "orderIds", strconv.Itoa(i))
		}
	}
	return ids, nil
}

// attachment shows a file to somebody who may see it: its link works for ten minutes, without a header (contract §3).
func (v view) attachment(f models.File) *model.Attachment {
	return &model.Attachment{Name: f.Name, ContentType: f.ContentType, Size: int(f.Size), URL: v.r.s.FileURL(f)}
}
