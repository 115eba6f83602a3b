package policy

import (
	"slices"
	"time"

	"paydesk/models"
)

// PartnerValidity is how long a partner has to decide, unless an order ends before (contract §7).
func (p *Policy) PartnerValidity() time.Duration { return time.Duration(p.Payments.PartnerValidity) }

// CouponMaximum is how many coupons one order may take (C7); 0 means that none is taken.
func (p *Policy) CouponMaximum() int { return p.Coupons.MaximumPerOrder }

// RefundOnlineTo is where the online part of a payment is refunded to (D10, HW-R19).
func (p *Policy) RefundOnlineTo() RefundRoute { return p.Refunds.OnlineTo }

// ReturnCoupons says whether an order that is refunded in full gives its coupons back (D10, HW-R18, TX-R8).
func (p *Policy) ReturnCoupons() bool { return p.Refunds.ReturnCoupons }

// PaymentRequestKinds are the kinds of customer that may have a payment request made (HW-25).
func (p *Policy) PaymentRequestKinds() []models.AccountKind {
	return slices.Clone(p.PaymentRequest.Kinds)
}

// PaymentRequestAllowed reports whether a customer of this kind may have a payment request made (HW-25).
func (p *Policy) PaymentRequestAllowed(kind models.AccountKind) bool {
	return slices.Contains(p.PaymentRequest.Kinds, kind)
}

// PaymentRequestKept is how long the document of a payment request is kept after its validity; then it is swept away.
func (p *Policy) PaymentRequestKept() time.Duration { return time.Duration(p.PaymentRequest.Kept) }

// ProtectedScene reports whether operation protection, where it is on for an account, asks for a code in this scene (D2, HW-34).
func (p *Policy) ProtectedScene(scene models.VerificationScene) bool {
	return slices.Contains(p.Protection.Scenes, scene)
}

// CodeLife is the life of a verification code (D2): its digits, how long it is good, the wrong tries before it is void, and how
// long the next one has to wait.
func (p *Policy) CodeLife() (digits int, validity time.Duration, wrongTries int, resendAfter time.Duration) {
	c := p.Protection.Codes
	return c.Digits, time.Duration(c.Validity), c.WrongTries, time.Duration(c.ResendAfter)
}
