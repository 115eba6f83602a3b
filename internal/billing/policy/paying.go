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

// PaymentRequestAllowed reports whether a customer of this kind may have a payment request made (HW-25).
func (p *Policy) PaymentRequestAllowed(kind models.AccountKind) bool {
	return slices.Contains(p.PaymentRequest.Kinds, kind)
}

// PaymentRequestKept is how long the document of a payment request is kept after its validity; then it is swept away.
func (p *Policy) PaymentRequestKept() time.Duration { return time.Duration(p.PaymentRequest.Kept) }
