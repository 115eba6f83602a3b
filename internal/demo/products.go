package demo

import "paydesk/models"

// product is what the vendor sells, with its price in minor units of both currencies.
type product struct {
	kind, name, spec, period string
	yuan, dollars            int64
	quantity                 int
	orderType                string
	mode                     models.ChargingMode
	status                   models.OrderStatus
	outside                  bool
}

func sells(kind, name, spec, period string, yuan, dollars int64) product {
	return product{kind: kind, name: name, spec: spec, period: period, yuan: yuan, dollars: dollars, quantity: 1, orderType: "NEW_PURCHASE", mode: models.Prepaid, status: models.OrderPendingPayment}
}

// The price list.
var (
	server      = sells("ECS", "Elastic Cloud Server", "c7.xlarge.2 · 4 vCPU · 8 GiB · Ubuntu 24.04", "1 month", 32_800, 4_690)
	bigServer   = sells("ECS", "Elastic Cloud Server", "m7.4xlarge.8 · 16 vCPU · 128 GiB", "1 year", 2_846_400, 398_000)
	gpuServer   = sells("ECS", "GPU Accelerated Server", "pi2.2xlarge.4 · 8 vCPU · 32 GiB · 1 × T4", "1 month", 268_000, 37_500)
	rds         = sells("RDS", "RDS for MySQL", "8.0 · primary/standby · 4 vCPU · 16 GiB · 500 GB", "1 year", 1_152_000, 162_000)
	cache       = sells("DCS", "Distributed Cache Service", "Redis 7.0 · cluster · 16 GiB", "3 months", 189_900, 26_800)
	disk        = sells("EVS", "Elastic Volume Service", "General purpose SSD · 500 GB", "1 month", 17_500, 2_500)
	bucket      = sells("OBS", "Object Storage package", "Standard · 1 TB · multi-AZ", "1 year", 118_800, 16_900)
	traffic     = sells("CDN", "CDN traffic package", "Mainland China · 10 TB", "1 year", 149_000, 21_000)
	address     = sells("EIP", "Elastic IP with bandwidth", "BGP · 50 Mbit/s", "1 month", 115_000, 16_200)
	certificate = sells("SCM", "TLS certificate", "OV · wildcard", "1 year", 398_000, 56_000)
	firewall    = sells("WAF", "Web Application Firewall", "Professional edition", "1 month", 388_000, 55_000)
	container   = sells("CCE", "Cloud Container Engine", "50 nodes · high availability", "1 month", 98_000, 13_800)
	support     = sells("SUPPORT", "Business support plan", "7 × 24 · 1 hour response", "1 month", 100_000, 14_000)
	hourly      = sells("ECS", "Elastic Cloud Server, pay per use", "s7.large.2 · 2 vCPU · 4 GiB", "", 20_000, 2_900)
)

func (p product) times(n int) product { p.quantity = n; return p }

func (p product) as(orderType string) product { p.orderType = orderType; return p }

func (p product) waiting(s models.OrderStatus) product { p.status = s; return p }

func (p product) postpaid() product { p.mode = models.Postpaid; return p }

func (p product) outsideContract() product { p.outside = true; return p }
