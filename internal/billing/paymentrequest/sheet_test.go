package paymentrequest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/policy"
	"paydesk/internal/platform/pdf"
	"paydesk/internal/platform/pdf/pdftest"
	"paydesk/models"
)

var now = time.Date(2026, 11, 22, 8, 4, 59, 0, time.UTC)

// sample is a sheet of n orders; hard ones have long names in every script, large amounts and much to print.
func sample(t testing.TB, locale, profile string, n int, hard bool) sheet {
	t.Helper()
	p, err := policy.Load(profile)
	if err != nil {
		t.Fatal(err)
	}
	account := models.Account{ID: models.NewID(), Number: "100234567", Name: "Shenzhen Example Trading Co., Ltd.", SigningEntity: "MAINLAND", Currency: "CNY", Kind: models.AccountEnterprise}
	if locale != "en" {
		account.Name = "深圳示例贸易有限公司"
	}
	if hard {
		account.Name = "深圳市前海示例國際供應鏈管理與跨境電子商務綜合服務股份有限公司（華南區域總部）Shenzhen Qianhai Example International Supply Chain Management"
	}
	s := sheet{account: account, policy: p, locale: locale}
	validUntil := now.Add(71 * time.Hour)
	for i := range n {
		o := models.Order{ID: models.NewID(), Number: fmt.Sprintf("CS2611%09d", 41*i+7), ProductType: "ecs", Currency: "CNY", AmountDue: 123456 + int64(i), ChargingMode: models.Prepaid,
			Items: models.OrderItems{{Name: "Cloud server", Specification: "c7.large.2 | 2 vCPUs | 4 GiB", Quantity: i + 1, Period: "1 month"}}}
		if locale != "en" {
			o.Items[0].Name, o.Items[0].Period = "弹性云服务器", "1个月"
		}
		if hard {
			o.Number = fmt.Sprintf("CS-2611-%050d", i)
			o.AmountDue, o.OutsideContract = 99_999_999_999_99, true
			o.Items = append(o.Items, models.OrderItem{Name: "a-word-that-has-no-end-and-no-blank-in-it_and_goes_on_and_on_beyond_every_column", Quantity: 1, Specification: "弹性云服务器通用计算增强型与企业级数据库代管服务高可用版多可用区部署含备份与安全防护", Period: "12 個月"})
			for range 6 {
				o.Items = append(o.Items, models.OrderItem{Name: "対象ストレージ 스토리지 Хранилище 🚀 Ελλάδα", Quantity: 1000})
			}
		}
		line := checkout.Line{OrderID: o.ID, Amount: o.AmountDue, Discount: o.AmountDue / 10, Kind: models.DiscountCommercial}
		if i%3 == 0 {
			line.Coupon = 500
		}
		line.Due = line.Amount - line.Discount - line.Coupon
		q := &s.quote.Priced
		q.Lines = append(q.Lines, line)
		q.Subtotal, q.DiscountTotal, q.CouponTotal, q.Total = q.Subtotal+line.Amount, q.DiscountTotal+line.Discount, q.CouponTotal+line.Coupon, q.Total+line.Due
		s.quote.Orders = append(s.quote.Orders, o)
	}
	coupon := models.Coupon{ID: models.NewID(), Name: "Autumn coupon", Currency: "CNY", ValidTo: validUntil}
	s.quote.Discount = &models.Discount{Name: "Commercial discount 2026", Percent: 10 * models.PercentScale, ValidTo: validUntil.Add(time.Hour)}
	s.quote.Coupons = []models.Coupon{coupon}
	for _, l := range s.quote.Priced.Lines {
		if l.Coupon > 0 {
			s.quote.Priced.Uses = append(s.quote.Priced.Uses, checkout.Use{CouponID: coupon.ID, OrderID: l.OrderID, Amount: l.Coupon})
		}
	}
	s.r = models.PaymentRequest{Number: "PR20261122ABCDEFGHJK", Currency: "CNY", Total: s.quote.Priced.Total, ValidUntil: validUntil, CreatedAt: now}
	return s
}

// look writes a document to where it can be looked at, if PAYDESK_LOOK names a folder.
func look(t *testing.T, name string, b []byte) {
	t.Helper()
	if dir := os.Getenv("PAYDESK_LOOK"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// HW-25: in every language, for one order and for thirty, plain or hard, the document has all that one needs to pay, on as many pages as
// it takes.
func TestDocument(t *testing.T) {
	for _, c := range []struct {
		locale string
		texts  []string
	}{
		{"en", []string{"Payment request", "Example Cloud Computing Technologies Co., Ltd.", "400-000-0000", "Account 100234567", "2026-11-25 15:04", "UTC+08:00", "Commercial discount 2026: 10 % off, until 2026-11-25 16:04",
			"100000000000000001", "Cloud service fee 100234567", "after that they are"}},
		{"zh-Hans", []string{"付款申请", "示例云计算技术有限公司", "深圳", "账户编号 100234567", "2026-11-25 15:04", "逾期优惠失效", "减 10%", "云服务费 100234567"}},
		{"zh-Hant", []string{"付款申請", "示例雲計算技術有限公司", "帳戶編號 100234567", "2026-11-25 15:04", "逾期優惠失效", "減 10%", "雲服務費 100234567"}},
	} {
		for _, n := range []int{1, 17, 30} {
			for _, hard := range []bool{false, true} {
				name := fmt.Sprintf("%s-%d-%v", c.locale, n, hard)
				s := sample(t, c.locale, "default", n, hard)
				b, err := draw(s)
				if err != nil {
					t.Fatal(name, err)
				}
				look(t, name, b)
				pages, err := pdftest.Read(b)
				if err != nil || len(b) > 120_000 {
					t.Fatal(name, len(b), "bytes", err)
				}
				whole := ""
				for i, p := range pages {
					whole += p.All()
					if label := s.text("page", map[string]any{"current": i + 1, "total": len(pages)}); !strings.Contains(p.All(), label) {
						t.Errorf("%s: page %d lacks %q", name, i+1, label)
					}
					apart(t, fmt.Sprint(name, " page ", i+1), p)
				}
				for _, text := range append(c.texts, s.money(s.r.Total), s.money(s.quote.Priced.Subtotal), s.money(-s.quote.Priced.DiscountTotal), s.r.Number) {
					if !strings.Contains(whole, text) {
						t.Errorf("%s: no %q", name, text)
					}
				}
				if strings.ContainsRune(whole, '□') != hard { // the rocket alone
					t.Errorf("%s: a character is missing from the font", name)
				}
				for i, o := range s.quote.Orders {
					if row := fmt.Sprintf("\n%d\n%.16s", i+1, o.Number); strings.Count(whole, row) != 1 {
						t.Errorf("%s: order %d is there %d times", name, i+1, strings.Count(whole, row))
					}
				}
			}
		}
	}
}

// apart: no text lies on another, and none leaves the page's margins.
func apart(t *testing.T, name string, p pdftest.Page) {
	t.Helper()
	const mm = 72 / 25.4
	type box struct{ left, right, low, high float64 }
	boxes := make([]box, len(p))
	for i, text := range p {
		boxes[i] = box{text.X, text.X + pdf.Width(text.Value, text.Size)*mm, text.Y - 0.15*text.Size, text.Y + 0.75*text.Size}
		b := boxes[i]
		if b.left < 14*mm || b.right > 196.5*mm || b.low < 10*mm || b.high > 283*mm {
			t.Errorf("%s: %q leaves the page: %+v", name, text.Value, b)
		}
		for j := range i {
			o := boxes[j]
			if text.Value != "" && p[j].Value != "" && b.left < o.right && o.left < b.right && b.low < o.high && o.low < b.high {
				t.Errorf("%s: %q lies on %q", name, text.Value, p[j].Value)
			}
		}
	}
}

// Without a benefit nothing is said of one; without a bank account the way leads to the console; a customer's own account is named.
func TestDocumentSaysWhatThereIs(t *testing.T) {
	texts := func(s sheet) string {
		b, err := draw(s)
		if err != nil {
			t.Fatal(err)
		}
		pages, err := pdftest.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		whole := ""
		for _, p := range pages {
			whole += p.All()
		}
		return whole
	}
	plain := sample(t, "en", "default", 2, false)
	for i := range plain.quote.Priced.Lines {
		l := &plain.quote.Priced.Lines[i]
		l.Discount, l.Coupon, l.Due, l.Kind = 0, 0, l.Amount, ""
	}
	p := &plain.quote.Priced
	p.DiscountTotal, p.CouponTotal, p.Total, p.Uses, plain.quote.Discount, plain.quote.Coupons = 0, 0, p.Subtotal, nil, nil, nil
	if got := texts(plain); strings.Contains(got, "Discounts") || strings.Contains(got, "lost") || !strings.Contains(got, "The prices hold until 2026-11-25 15:04") {
		t.Error(got)
	}
	dedicated := sample(t, "en", "default", 1, false)
	dedicated.account.DedicatedAccountNumber = "6222000011112222"
	if got := texts(dedicated); !strings.Contains(got, "6222000011112222") || strings.Contains(got, "100000000000000001") {
		t.Error(got)
	}
	noBank := sample(t, "en", "default", 1, false)
	rules := *noBank.policy
	rules.Remittance.Account, noBank.policy = policy.ReceivingAccount{}, &rules
	if got := texts(noBank); strings.Contains(got, "Transfer") || !strings.Contains(got, "and pay them.") {
		t.Error(got)
	}
	postpaid := sample(t, "en", "default", 1, false)
	postpaid.quote.Orders[0].ChargingMode = models.Postpaid
	if got := texts(postpaid); !strings.Contains(got, "Charged by use") {
		t.Error(got)
	}
	many := sample(t, "zh-Hant", "default", 30, false) // as many benefits as orders may have: they go overleaf
	for range 89 {
		many.quote.Coupons = append(many.quote.Coupons, models.Coupon{ID: models.NewID(), Name: strings.Repeat("優惠券", 30), Currency: "CNY", ValidTo: now})
	}
	if got := texts(many); strings.Count(got, "有效期至 2026-11-22 16:04") != 89 {
		t.Error(strings.Count(got, "有效期至 2026-11-22 16:04"))
	}
}

// Every character of the catalogues and of the vendors' names is in the font.
func TestFontHasEveryCharacterWeWrite(t *testing.T) {
	files, err := filepath.Glob("../../platform/messages/catalogue/*.yaml")
	profiles, err2 := filepath.Glob("../policy/profiles/*.yaml")
	if err != nil || err2 != nil || len(files) != 3 || len(profiles) < 5 {
		t.Fatal(files, profiles)
	}
	for _, path := range append(files, profiles...) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if clean := pdf.Clean(line); strings.TrimRight(clean, " ") != strings.TrimRight(line, " \n") {
				t.Errorf("%s: %q prints as %q", path, line, clean)
			}
		}
	}
}
