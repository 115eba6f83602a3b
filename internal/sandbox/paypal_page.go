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
	writePage(w, code, paypalConsent, v)
}

var (
	paypalMail    = regexp.MustCompile(`^[^\s@]{1,64}@[^\s@]{1,190}$`)
	paypalCountry = regexp.MustCompile(`^[A-Z]{2}$`)
)

// paypalConsents is the payer's yes: account (an e-mail) and country say who it is. The merchant takes the money then; late=true plays a payer
// whose money was just being taken when the merchant ended the payment.
func paypalConsents(ctx context.Context, s *Sandbox, t trade, form url.Values) (bool, error) {
	t.Detail.Payer, t.Detail.Country = "payer@example.com", "US"
	if mail := strings.TrimSpace(form.Get("account")); paypalMail.MatchString(mail) {
		t.Detail.Payer = strings.ToLower(mail)
	}
	if country := strings.ToUpper(strings.TrimSpace(form.Get("country"))); paypalCountry.MatchString(country) {
		t.Detail.Country = country
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
