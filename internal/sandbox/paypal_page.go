package sandbox

import (
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

//go:embed paypal.html
var paypalHTML string

var paypalConsent = template.Must(template.New("paypal").Parse(paypalHTML))

// paypalPage is where the payer agrees. Going back, PayPal adds the order's id to the merchant's address.
func paypalPage(w http.ResponseWriter, code int, v payerView) {
	if u, err := url.Parse(v.Return); err == nil && v.Return != "" {
		q := u.Query()
		q.Set("token", v.Trade.Reference)
		u.RawQuery = q.Encode()
		v.Return = u.String()
	}
	switch v.Trade.Status {
	case reviewing:
		v.Result, v.ResultZH, v.Tone = "You have paid. PayPal is reviewing the payment.", "您已付款，PayPal 正在审核该笔付款", "plain"
	case denied:
		v.Result, v.ResultZH, v.Tone = "PayPal has denied the payment. You have your money back.", "PayPal 已拒绝该笔付款，款项已退回", "bad"
	}
	writePage(w, code, paypalConsent, v)
}

var (
	paypalMail    = regexp.MustCompile(`^[^\s@]{1,64}@[^\s@]{1,190}$`)
	paypalCountry = regexp.MustCompile(`^[A-Z]{2}$`)
)

// paypalConsents is the payer's yes: account (an e-mail) and country say who it is. The merchant takes the money then; late=true plays a payer
// whose money was just being taken when the merchant ended the payment. While PayPal reviews a payment, it is PayPal's yes.
func paypalConsents(ctx context.Context, s *Sandbox, t trade, form url.Values) (bool, error) {
	t.Detail.Payer, t.Detail.Country = "payer@example.com", "US"
	if mail := strings.TrimSpace(form.Get("account")); paypalMail.MatchString(mail) {
		t.Detail.Payer = strings.ToLower(mail)
	}
	if country := strings.ToUpper(strings.TrimSpace(form.Get("country"))); paypalCountry.MatchString(country) {
		t.Detail.Country = country
	}
	if t.Status == reviewing {
		return s.paypalDecides(ctx, t, paid)
	}
	if t.Status == waiting {
		if err := s.note(ctx, t); err != nil {
			return false, err
		}
	}
	if form.Get("late") == "true" {
		return s.pay(ctx, t, true)
	}
	return s.approve(ctx, t)
}
