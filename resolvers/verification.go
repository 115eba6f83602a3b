package resolvers

import (
	"context"
	"errors"
	"strconv"
	"time"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/verification"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// Verification is what the face needs of verification.Service.
type Verification interface {
	WantedFor(a models.Account, scene models.VerificationScene) bool
	Check(ctx context.Context, u verification.Use) (verification.Proof, error)
	Spend(ctx context.Context, p verification.Proof) error
	ProtectionOff(ctx context.Context, a models.Account) error
	Send(ctx context.Context, in verification.Sending) (verification.Sent, error)
	Enroll(ctx context.Context, who verification.Person, code string) (uri string, err error)
	Confirm(ctx context.Context, who verification.Person, code string) error
	Enrolled(ctx context.Context, user string) (bool, error)
}

func (r *Resolver) sendVerificationCode(ctx context.Context, input model.SendVerificationCodeInput) (*model.SendVerificationCodePayload, error) {
	in, err := sending(ctx, input)
	if err != nil {
		return nil, err
	}
	sent, err := r.s.Verification.Send(ctx, in)
	var soon *verification.TooSoon
	if f, ok := errors.AsType[*fault.Fault](err); ok {
		soon, _ = f.Detail.(*verification.TooSoon)
	}
	switch {
	case soon != nil: // when to ask again is said beside the error
		errs, err := r.userErrors(ctx, faultOf(err))
		return &model.SendVerificationCodePayload{ResendAt: &soon.ResendAt, Errors: errs}, err
	case err != nil:
		return nil, err
	}
	return &model.SendVerificationCodePayload{SentTo: textOrNil(sent.To), ResendAt: timeOrNil(sent.ResendAt), ExpiresAt: timeOrNil(sent.ExpiresAt)}, nil
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// sending reads the input. Fault: ORDER_NOT_FOUND, also for ids of another type (contract §7).
func sending(ctx context.Context, input model.SendVerificationCodeInput) (verification.Sending, error) {
	v := auth.From(ctx)
	in := verification.Sending{AccountID: v.AccountID, UserID: v.UserID, Locale: locale.From(ctx), Scene: models.VerificationScene(input.Scene), Kind: models.VerificationKind(input.Kind)}
	if input.OrderIds != nil {
		in.OrderIDs = make([]models.ID, len(input.OrderIds))
	}
	for i, text := range input.OrderIds {
		id, err := models.Decode(models.PrefixOrder, text)
		if err != nil {
			return in, fault.New("ORDER_NOT_FOUND", "input", "orderIds", strconv.Itoa(i))
		}
		in.OrderIDs[i] = id
	}
	if f := input.Funding; f != nil {
		in.Funding = &verification.Funding{Balance: optionalAmount(f.Balance), Partner: f.Partner != nil}
		if f.Online != nil {
			online := amountOf(f.Online.Amount)
			in.Funding.Online = &online
		}
	}
	return in, nil
}

func person(ctx context.Context) verification.Person {
	v := auth.From(ctx)
	return verification.Person{AccountID: v.AccountID, UserID: v.UserID, Name: v.Name}
}

func (r *Resolver) enrollTotp(ctx context.Context, input model.EnrollTotpInput) (*model.EnrollTotpPayload, error) {
	uri, err := r.s.Verification.Enroll(ctx, person(ctx), orZero(input.VerificationCode))
	if err != nil {
		return nil, err
	}
	return &model.EnrollTotpPayload{ProvisioningURI: &uri}, nil
}

func (r *Resolver) confirmTotp(ctx context.Context, input model.ConfirmTotpInput) (*model.ConfirmTotpPayload, error) {
	if err := r.s.Verification.Confirm(ctx, person(ctx), input.Code); err != nil {
		return nil, err
	}
	return &model.ConfirmTotpPayload{Enrolled: true}, nil
}

// verificationRequired says how a code can reach the person.
func (v view) verificationRequired(f *fault.Fault, d *fault.VerificationRequired) model.UserError {
	out := model.VerificationRequired{Code: model.UserErrorCode(f.Code), Message: v.message(f), Field: path(f), Scene: model.VerificationScene(d.Scene),
		Deliveries: make([]*model.VerificationDelivery, len(d.Deliveries))}
	for i, way := range d.Deliveries {
		target := way.Target
		if way.Kind == models.CodeByTOTP {
			target = messages.Text(v.locale, "verification.target.TOTP", nil)
		}
		out.Deliveries[i] = &model.VerificationDelivery{Kind: model.VerificationKind(way.Kind), Target: target}
	}
	return out
}
