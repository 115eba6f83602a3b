package sandbox

import (
	"context"
	"net/url"
)

// unionpayLetter is the back notification, an ordinary form: of a payment, or of a refund at the refund's own address.
func unionpayLetter(ctx context.Context, s *Sandbox, n notification, f fact) (letter, error) {
	k, err := s.unionpayKeys(ctx)
	if err != nil {
		return letter{}, err
	}
	kind := unionpayKindOf(n.Channel)
	var a unionpayAnswer
	code := unionpayState(f.State, f.Detail)
	if f.Refund == nil {
		at := f.CreatedAt
		if f.PaidAt != nil {
			at = *f.PaidAt
		}
		a = unionpayTold(ctx, "01", "01", kind, f.Reference, f.Amount, at)
		a["orderId"], a["txnTime"] = f.Number, f.Detail.MadeAt
	} else {
		made, err := s.findRefund(ctx, n.Channel, f.Refund.Number, f.Number)
		if err != nil {
			return letter{}, err
		}
		a = unionpayTold(ctx, "04", "00", kind, made.Reference, f.Refund.Amount, f.Refund.At)
		a["orderId"], a["origQryId"] = made.Number, f.Reference
		a["txnTime"], a["reqReserved"] = unionpayReserved(made)
		code = unionpayRefundState(f.Refund.State)
	}
	a["version"], a["encoding"], a["signMethod"], a["accessType"], a["merId"] = "5.1.0", "UTF-8", "01", "0", k.MerchantID
	a["respCode"], a["respMsg"] = code, unionpayMessage(code)
	if err := unionpaySign(k, a, spoils(ctx), n.Forged); err != nil {
		return letter{}, err
	}
	return letter{map[string]string{"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}, []byte(unionpayForm(a))}, nil
}

// unionpayForm writes a message as a form.
func unionpayForm(f map[string]string) string {
	form := url.Values{}
	for name, value := range f {
		if value != "" {
			form.Set(name, value)
		}
	}
	return form.Encode()
}
