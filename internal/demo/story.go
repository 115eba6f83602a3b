package demo

import (
	"time"

	"paydesk/internal/billing/account"
	"paydesk/internal/billing/input"
	"paydesk/models"
)

// Numbers of the demo accounts: personas find their account by them.
const (
	linNumber      = "100200300401"
	yuntuNumber    = "100200300402"
	mayaNumber     = "100200300403"
	huizhiNumber   = "100200300404"
	nordNumber     = "100200300405"
	westernNumber  = "100200300406"
	branchesNumber = "100200300407"
)

// play tells the whole story.
func (s *stage) play() {
	partner := s.partner()
	s.lin()
	s.yuntu(partner)
	s.maya()
	s.nord()
	s.western()
	s.branches()
}

// partner is a reseller with money, who pays for its customers when asked to.
func (s *stage) partner() models.ID {
	s.ago(120 * day)
	a, ok := s.open(account.Opening{Number: huizhiNumber, Name: "Huizhi Digital Partners 汇智数字", Kind: models.AccountEnterprise, Region: "CN", Country: "CN",
		SigningEntity: "MAINLAND", Currency: "CNY", RealName: "汇智数字渠道（上海）有限公司", Email: "finance@huizhi.example.com", Phone: "+86 21 5555 0104"})
	if ok {
		s.credit(a, "200000.00")
		s.bought(a, 40*day, support.times(3))
	}
	return a.ID
}

// lin is a person on the mainland: a few orders, some money.
func (s *stage) lin() {
	s.ago(60 * day)
	a, ok := s.open(account.Opening{Number: linNumber, Name: "Lin Xiaomei 林小美", Kind: models.AccountIndividual, Region: "CN", Country: "CN",
		SigningEntity: "MAINLAND", Currency: "CNY", RealName: "林小美", Email: "lin.xiaomei@example.com", Phone: "+86 138 0013 8001"})
	if !ok {
		return
	}
	s.credit(a, "2000.00")
	s.bought(a, 45*day, server, disk)
	s.ago(30 * day)
	s.buy(a, gpuServer)
	s.ago(20 * day)
	s.lapse()
	s.bought(a, 15*day, server.as("RENEWAL"))
	s.ago(50 * time.Hour)
	s.buy(a, server.as("RENEWAL"), bucket)
	s.ago(3 * time.Hour)
	s.buy(a, traffic, certificate)
}

// yuntu is a company on the mainland, with a credit line and a partner: the account to try merged payments with.
func (s *stage) yuntu(partner models.ID) {
	s.ago(90 * day)
	a, ok := s.open(account.Opening{Number: yuntuNumber, Name: "Yuntu Technology 云图科技", Kind: models.AccountEnterprise, Region: "CN", Country: "CN",
		SigningEntity: "MAINLAND", Currency: "CNY", RealName: "北京云图科技有限公司", Email: "billing@yuntu.example.com", Phone: "+86 139 1000 2002",
		CreditLimit: &input.Amount{Decimal: "50000.00", Currency: "CNY"}, PartnerID: partner})
	if !ok {
		return
	}
	s.credit(a, "60000.00")
	s.bought(a, 80*day, rds, cache)
	s.bought(a, 62*day, server.times(8), disk.times(8))
	s.ago(45 * day)
	s.buy(a, gpuServer.times(2))
	for _, o := range s.buy(a, firewall) {
		s.cancel(o)
	}
	s.ago(30 * day)
	s.lapse()
	s.credit(a, "20000.00")
	s.bought(a, 29*day, container.as("CHANGE"), cache.as("RENEWAL"))
	s.ago(6 * day)
	for _, o := range s.buy(a, gpuServer) {
		s.pay(a, o, o.AmountDue)
		s.deliver(o, false) // sold out: a refund is due
	}
	s.ago(2 * time.Hour)
	for _, o := range s.buy(a, address) {
		s.pay(a, o, o.AmountDue) // paid, and being delivered
	}
	s.yuntuWaiting(a)
	s.yuntuSaves(a)
	if !partner.IsZero() {
		s.yuntuAsks(a, partner)
	}
}

// yuntuWaiting is what waits to be paid, in every way that orders can wait.
func (s *stage) yuntuWaiting(a models.Account) {
	s.ago(5 * day)
	s.buy(a, server.times(4).as("RENEWAL"), disk.times(4).as("RENEWAL"), address.as("RENEWAL"))
	s.ago(4 * day)
	s.bundle(a, bigServer, rds.as("ON_DEMAND_TO_SUBSCRIPTION"), address) // a web shop: paid together or not at all (HW-8)
	s.ago(3 * day)
	s.bundle(a, container, firewall.waiting(models.OrderPendingReview)) // linked to one in review (HW-9)
	s.ago(2 * day)
	s.buy(a, gpuServer.times(4).waiting(models.OrderPendingReview), bigServer.waiting(models.OrderPendingConfirmation))
	s.ago(30 * time.Hour)
	s.buy(a, certificate, support.outsideContract(), hourly.postpaid())
	s.ago(90 * time.Minute)
	s.buy(a, traffic.times(2), bucket.as("TRIAL_TO_PAID"), cache, server)
}

// maya is a person abroad.
func (s *stage) maya() {
	s.ago(50 * day)
	a, ok := s.open(account.Opening{Number: mayaNumber, Name: "Maya Thompson", Kind: models.AccountIndividual, Region: "US", Country: "US",
		SigningEntity: "INTERNATIONAL", Currency: "USD", RealName: "Maya Thompson", Email: "maya@example.org", Phone: "+1 202 555 0143"})
	if !ok {
		return
	}
	s.credit(a, "300.00")
	s.bought(a, 32*day, server, disk)
	s.ago(26 * time.Hour)
	s.buy(a, server.as("RENEWAL"), disk.as("RENEWAL"), gpuServer)
}

// nord is a company abroad.
func (s *stage) nord() {
	s.ago(70 * day)
	a, ok := s.open(account.Opening{Number: nordNumber, Name: "Nordlicht Analytics", Kind: models.AccountEnterprise, Region: "EU", Country: "DE",
		SigningEntity: "INTERNATIONAL", Currency: "USD", RealName: "Nordlicht Analytics GmbH", Email: "billing@nordlicht.example.net", Phone: "+49 30 5550 1234"})
	if !ok {
		return
	}
	s.credit(a, "5000.00")
	s.bought(a, 60*day, rds, server.times(2))
	s.ago(2 * day)
	s.buy(a, container, firewall, server.times(2).as("RENEWAL"))
}

// western has a contract with the entity that takes nothing online (HW-27).
func (s *stage) western() {
	s.ago(40 * day)
	a, ok := s.open(account.Opening{Number: westernNumber, Name: "Western Data 西部数据服务", Kind: models.AccountEnterprise, Region: "CN", Country: "CN",
		SigningEntity: "MAINLAND_OTHER", Currency: "CNY", Email: "office@western.example.com", Phone: "+86 28 5555 0106"})
	if !ok {
		return
	}
	s.credit(a, "1500.00")
	s.ago(day)
	s.buy(a, server, bucket)
}
