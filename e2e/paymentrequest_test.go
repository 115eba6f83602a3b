package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/pdf/pdftest"
	"paydesk/internal/platform/testenv"
)

// aRequest is a payment request's document, or what stands against it.
type aRequest struct {
	Document *struct {
		Name, ContentType, URL string
		Size                   int64
	}
	ValidUntil *time.Time
	Errors     []struct {
		Typename string `json:"__typename"`
		Code     string
		Field    []string
	}
}

func (u user) paymentRequest(t testing.TB, key string, input map[string]any) aRequest {
	t.Helper()
	input["idempotencyKey"] = key
	var out struct{ CreatePaymentRequest aRequest }
	u.must(t, `mutation($input: CreatePaymentRequestInput!) { createPaymentRequest(input: $input) { document { name contentType size url } validUntil errors { __typename code field } } }`,
		map[string]any{"input": input}, &out)
	return out.CreatePaymentRequest
}

// fetch asks for an address as nobody in particular.
func fetch(t testing.TB, method, address string, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequest(method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return answerTo(t, r)
}

// HW-25: the document is made once for a key, in the reader's language, valid no longer than what is in it; its link works without a
// header on every instance, and leads to nothing else (contract §3).
func TestPaymentRequest(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{})
		c := s.customerNamed(t, "李娜贸易")
		orders := c.orders(t, 30, "10.00")
		discount := c.discount(t, "10", time.Hour)
		key, in := unique("request"), map[string]any{"orderIds": orders, "discountId": discount}
		made := c.paymentRequest(t, key, in)
		d := made.Document
		if d == nil || made.ValidUntil == nil || d.ContentType != "application/pdf" || !strings.HasSuffix(d.Name, ".pdf") || !strings.HasPrefix(d.URL, s.URL+"/files/") {
			t.Fatalf("%+v", made)
		}
		if left := time.Until(*made.ValidUntil); left > time.Hour || left < 50*time.Minute {
			t.Error("the discount ends in an hour, the request in", left)
		}
		res, body := fetch(t, "GET", d.URL)
		if res.StatusCode != 200 || int64(len(body)) != d.Size || res.Header.Get("Content-Type") != d.ContentType || res.Header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") || !strings.HasPrefix(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s, %d bytes of %d, %v", res.Status, len(body), d.Size, res.Header)
		}
		text := textOf(t, body)
		for _, want := range []string{"Payment request", "李娜贸易", "¥270.00", "-¥30.00", "Page 2 of 2", "UTC+08:00", "\n30\n"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in %q", want, text)
			}
		}
		again := c.paymentRequest(t, key, in)
		if _, second := fetch(t, "GET", again.Document.URL); second != body || !again.ValidUntil.Equal(*made.ValidUntil) {
			t.Error("the same key gave another document")
		}
		if other := c.paymentRequest(t, key, map[string]any{"orderIds": orders[:1]}); len(other.Errors) != 1 || other.Errors[0].Code != "IDEMPOTENCY_KEY_REUSED" {
			t.Errorf("%+v", other)
		}
		chinese := user{base: s.URL, token: s.tokenIn(t, c.AccountID, "zh-Hant")}.paymentRequest(t, unique("request"), map[string]any{"orderIds": orders[:1]})
		if _, body := fetch(t, "GET", chinese.Document.URL); !strings.Contains(textOf(t, body), "付款申請") {
			t.Error("not in the reader's language")
		}
		links(t, s, c, d.URL, chinese.Document.URL, body)
		another := start(t, homeEnv(home), options{}) // or the same one, after a restart
		if res, there := fetch(t, "GET", another.URL+strings.TrimPrefix(d.URL, s.URL)); res.StatusCode != 200 || there != body {
			t.Error("another instance:", res.Status)
		}
		requestsRefused(t, s, c, orders)
	})
}

func links(t *testing.T, s *server, c *customer, link, other, body string) {
	t.Helper()
	if res, text := fetch(t, "HEAD", link); res.StatusCode != 200 || text != "" || res.ContentLength != int64(len(body)) {
		t.Error("HEAD:", res.Status, res.ContentLength)
	}
	if res, text := fetch(t, "GET", link, "Range", "bytes=5-14"); res.StatusCode != 206 || text != body[5:15] {
		t.Errorf("range: %s %q", res.Status, text)
	}
	for _, method := range []string{"POST", "PUT", "DELETE"} {
		if res, _ := fetch(t, method, link); res.StatusCode != 405 || res.Header.Get("Allow") != "GET, HEAD" {
			t.Error(method, res.Status, res.Header.Get("Allow"))
		}
	}
	path, query, _ := strings.Cut(link, "?")
	otherPath, _, _ := strings.Cut(other, "?")
	for name, address := range map[string]string{
		"bare": path, "tampered": link[:len(link)-1] + "_", "longer": strings.Replace(link, "until=", "until=1", 1), "another file by this signature": otherPath + "?" + query,
		"a picture by this signature": s.URL + "/qr/" + strings.TrimPrefix(path, s.URL+"/files/") + "?" + query, "of another account": strings.Replace(link, c.AccountID, s.customer(t).AccountID, 1),
	} {
		if res, _ := fetch(t, "GET", address, "Authorization", "Bearer "+c.token); res.StatusCode != 403 {
			t.Errorf("%s: %s", name, res.Status)
		}
	}
}

func requestsRefused(t *testing.T, s *server, c *customer, orders []string) {
	t.Helper()
	c.cancelOrder(t, orders[0])
	stranger := s.customer(t)
	for _, x := range []struct {
		who    *customer
		orders []string
		want   string
	}{
		{c, orders[:2], "OrdersNotPayable ORDER_STATUS_CHANGED orderIds"},
		{c, orders[:1], "OrdersNotPayable ALL_ORDERS_STATUS_CHANGED orderIds"},
		{c, append(orders[1:], c.orders(t, 2, "1.00")...), "InputError TOO_MANY_ORDERS orderIds"},
		{c, nil, "InputError NO_ORDERS orderIds"},
		{c, []string{orders[1], "ord_x"}, "InputError ORDER_NOT_FOUND orderIds.1"},
		{stranger, orders[1:2], "InputError ORDER_NOT_FOUND orderIds.0"},
	} {
		got := x.who.paymentRequest(t, unique("request"), map[string]any{"orderIds": append([]string{}, x.orders...)})
		if len(got.Errors) != 1 || got.Document != nil || got.Errors[0].Typename+" "+got.Errors[0].Code+" "+strings.Join(got.Errors[0].Field, ".") != x.want {
			t.Errorf("%+v, want %s", got, x.want)
		}
	}
}

func textOf(t testing.TB, document string) (whole string) {
	t.Helper()
	pages, err := pdftest.Read([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range pages {
		whole += p.All()
	}
	return whole
}

// tokenIn is a token of the account's creator who reads a language.
func (s *server) tokenIn(t testing.TB, account, locale string) string {
	t.Helper()
	var out struct{ Token string }
	post(t, s.URL+"/dev/token", map[string]string{"role": "CREATOR", "accountId": account, "locale": locale}, &out)
	return out.Token
}

// discount gives the account a percentage off everything, for a time.
func (c *customer) discount(t testing.TB, percent string, lasts time.Duration) (id string) {
	t.Helper()
	var out struct {
		GrantDiscount struct {
			Discount *struct{ ID string }
			Errors   []userError
		}
	}
	c.service.must(t, `mutation($input: GrantDiscountInput!) { grantDiscount(input: $input) { discount { id } errors { code message } } }`, map[string]any{"input": map[string]any{
		"idempotencyKey": unique("grant"), "accountId": c.AccountID, "name": "Contract", "percentOff": percent, "validTo": time.Now().Add(lasts).UTC().Format(time.RFC3339)}}, &out)
	if out.GrantDiscount.Discount == nil {
		t.Fatal(out.GrantDiscount.Errors)
	}
	return out.GrantDiscount.Discount.ID
}

func (c *customer) cancelOrder(t testing.TB, id string) {
	t.Helper()
	var out struct{ CancelOrder struct{ Errors []userError } }
	c.must(t, `mutation($id: ID!) { cancelOrder(input: {orderId: $id}) { errors { code message } } }`, map[string]any{"id": id}, &out)
	if len(out.CancelOrder.Errors) > 0 {
		t.Fatal(out.CancelOrder.Errors)
	}
}
