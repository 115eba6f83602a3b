package demo

import (
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/benefit"
	"paydesk/internal/billing/input"
	"paydesk/models"
)

// yuntuSaves is how the company pays less: coupons and discounts of every kind, some of them used, one of them over.
func (s *stage) yuntuSaves(a models.Account) {
	s.ago(40 * day)
	s.credit(a, "30000.00")
	s.grant(a, benefit.Coupons{Name: "Spring voucher", Kind: models.CouponVoucher}, "200.00", 30) // over since ten days
	used := s.grant(a, benefit.Coupons{Name: "Welcome cash", Kind: models.CouponCash}, "500.00", 90)
	ten := s.discount(a, models.DiscountCommercial, "Framework agreement", "10", 180)
	s.ago(9 * day)
	for _, o := range s.buy(a, cache) { // 1,899.00, less 10 % and 500.00
		p := s.payWith(a, o, 189_900*9/10-50_000, used, ten)
		s.deliver(o, true)
		s.refund(p, 40_000, "Billed for a month too many")
	}
	s.ago(8 * day)
	for i, o := range s.buy(a, hourly.postpaid(), hourly.postpaid()) {
		s.pay(a, o, o.AmountDue) // frozen until it is known what was used
		if i == 0 {
			s.charge(o, o.AmountDue/4)
		}
	}
	s.ago(4 * time.Hour)
	s.grant(a, benefit.Coupons{Name: "Cash coupon", Kind: models.CouponCash}, "300.00", 60)
	s.grant(a, benefit.Coupons{Name: "Cash coupon, soon over", Kind: models.CouponCash}, "120.50", 4)
	s.grant(a, benefit.Coupons{Name: "Voucher from 5,000", Kind: models.CouponVoucher, MinimumSpend: s.amount(a, "5000.00")}, "800.00", 30)
	s.grant(a, benefit.Coupons{Name: "Database voucher", Kind: models.CouponVoucher, ProductTypes: []string{"RDS", "DCS"}}, "600.00", 45)
	s.grant(a, benefit.Coupons{Name: "Cash, not with a promotion", Kind: models.CouponCash, NotWith: []models.DiscountKind{models.DiscountPromotion}}, "250.00", 30)
	s.discount(a, models.DiscountPromotion, "Server promotion", "15", 5, "ECS")
	s.discount(a, models.DiscountPartnerGranted, "Granted by Huizhi", "8", 60)
	s.discount(a, models.DiscountPriceAdjustment, "Adjusted price of certificates", "20", 30, "SCM")
}

// yuntuAsks is what the partner paid for the company, and what it is asked to pay now (HW-35).
func (s *stage) yuntuAsks(a models.Account, partner models.ID) {
	s.ago(12 * day)
	for _, o := range s.buy(a, container) {
		s.approve(partner, s.ask(a, o, "As agreed by telephone"))
		s.deliver(o, true)
	}
	s.ago(5 * time.Hour)
	for _, o := range s.buy(a, gpuServer) {
		s.ask(a, o, "Three months of training, please")
	}
}

// branches is a company with more to pay than one payment takes (HW-13): the renewals of forty branches.
func (s *stage) branches() {
	s.ago(35 * day)
	a, ok := s.open(account.Opening{Number: branchesNumber, Name: "Qinghe Retail 清禾零售", Kind: models.AccountEnterprise, Region: "CN", Country: "CN",
		SigningEntity: "MAINLAND_SOFTWARE", Currency: "CNY", RealName: "清禾零售（杭州）有限公司", Email: "it@qinghe.example.com", Phone: "+86 571 5555 0107"})
	if !ok {
		return
	}
	s.credit(a, "20000.00")
	s.grant(a, benefit.Coupons{Name: "Cash coupon", Kind: models.CouponCash}, "99.99", 90)
	s.ago(4 * day)
	renewals := make([]product, 40)
	for i := range renewals {
		renewals[i] = disk.as("RENEWAL")
	}
	s.buy(a, renewals...)
}

// amount is one in the account's currency.
func (s *stage) amount(a models.Account, decimal string) *input.Amount {
	return &input.Amount{Decimal: decimal, Currency: a.Currency}
}
