package resolvers

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

func (r *Resolver) approvePartnerPayment(ctx context.Context, input model.ApprovePartnerPaymentInput) (*model.ApprovePartnerPaymentPayload, error) {
	id, err := askedID(input.PaymentID)
	if err != nil {
		return nil, err
	}
	p, err := r.s.Payments.ApprovePartner(ctx, payer(ctx), id)
	if err != nil {
		return nil, err
	}
	return &model.ApprovePartnerPaymentPayload{Payment: r.view(ctx).payment(p)}, nil
}

func (r *Resolver) declinePartnerPayment(ctx context.Context, input model.DeclinePartnerPaymentInput) (*model.DeclinePartnerPaymentPayload, error) {
	id, err := askedID(input.PaymentID)
	if err != nil {
		return nil, err
	}
	p, err := r.s.Payments.DeclinePartner(ctx, payer(ctx), id, orZero(input.Reason))
	if err != nil {
		return nil, err
	}
	return &model.DeclinePartnerPaymentPayload{Payment: r.view(ctx).payment(p)}, nil
}

func askedID(text string) (models.ID, error) {
	id, err := models.Decode(models.PrefixPayment, text)
	if err != nil {
		return id, fault.New("PAYMENT_NOT_FOUND", "input", "paymentId")
	}
	return id, nil
}

func (r *Resolver) awaitedPartner(ctx context.Context, obj *model.AwaitPartner) (*model.Partner, error) {
	return once(ctx, obj.PartnerID, func() (*model.Partner, error) {
		partner, found, err := r.s.Accounts.ByID(ctx, obj.PartnerID)
		if err == nil && !found {
			err = fault.ErrNotFound
		}
		return &model.Partner{AccountID: partner.ID.Encode(models.PrefixAccount), Name: partner.Name}, err
	})
}

// refusal is why a partner did not pay, in its own words where it gave any (HW-R21).
func (v view) refusal(p models.Payment) *model.PaymentFailure {
	args := map[string]any{}
	if p.DeclineReason != "" {
		args["reason"] = p.DeclineReason
	}
	return &model.PaymentFailure{Code: "PAYMENT_DECLINED", Message: messages.Text(v.locale, "payment.partner_declined", args), Remedy: messages.Remedy(v.locale, "PARTNER_DECLINED")}
}

// A partner's people see their own account and, of a customer, the payments it was asked for: them, their orders and, of the
// account, who it is (contract §3).

// ofCustomer are the fields of another's account that a partner's people are served; everything else is NOT_FOUND.
var ofCustomer = map[string]bool{"id": true, "number": true, "name": true, "kind": true, "__typename": true}

// hidden reports whether a field belongs to an account that is not the viewer's, and says more than who it is.
func hidden(ctx context.Context, fc *graphql.FieldContext) bool {
	if fc.Object != "Account" || ofCustomer[fc.Field.Name] || fc.Parent == nil {
		return false
	}
	parent := fc.Parent.Result
	if n, ok := parent.(*model.Node); ok { // of a list
		parent = *n
	}
	a, ok := parent.(*model.Account)
	return ok && !seesAll(auth.From(ctx), a.Key)
}

// seesAll reports whether the viewer may see all there is of an account.
func seesAll(v *auth.Viewer, account models.ID) bool {
	return v.Role.AnyAccount() || v.AccountID == account
}

// visible are the payments among rows that the viewer may see: of an order that a partner is asked to pay, not those that are
// none of its business.
func visible(ctx context.Context, rows []models.Payment) []models.Payment {
	v := auth.From(ctx)
	out := rows[:0]
	for _, p := range rows {
		if seesAll(v, p.AccountID) || v.Role == auth.Partner && p.PartnerID == v.AccountID {
			out = append(out, p)
		}
	}
	return out
}

// ownPayments reads payments of an account, for a partner's people with those that it was asked to pay.
func (r *Resolver) ownPayments(ctx context.Context, account models.ID, ids []models.ID) ([]models.Payment, error) {
	if asPartner(ctx, account) {
		return r.s.Payments.ForPartner(ctx, account, ids)
	}
	return r.s.Payments.ByIDs(ctx, account, ids)
}

// asPartner reports whether the viewer is one of the people who decide what this account pays for its customers.
func asPartner(ctx context.Context, account models.ID) bool {
	v := auth.From(ctx)
	return v.Role == auth.Partner && v.AccountID == account
}
