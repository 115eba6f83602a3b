package sandbox

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"
)

// CardsPath is the hosted card field: the page (GET) and the call that makes a token of a card (POST, contract.md §6).
const CardsPath = "/sandbox/cards"

//go:embed cards_field.html
var cardsFieldHTML string

//go:embed cards_secure.html
var cardsSecureHTML string

var (
	cardsFieldPage  = template.Must(template.New("field").Parse(cardsFieldHTML))
	cardsSecurePage = template.Must(template.New("secure").Parse(cardsSecureHTML))
)

func mountCards(s *Sandbox, mux *http.ServeMux) {
	mux.HandleFunc("GET "+CardsPath, showCardField)
	mux.HandleFunc("POST "+CardsPath, s.takeCard)
	mux.HandleFunc("OPTIONS "+CardsPath, func(w http.ResponseWriter, r *http.Request) {
		anyOrigin(w)
		w.WriteHeader(http.StatusNoContent)
	})
}

// anyOrigin lets any page call: what comes back is a token of play money.
func anyOrigin(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", "GET, POST, OPTIONS")
	h.Set("Access-Control-Allow-Headers", "Content-Type, Authorization")
	h.Set("Access-Control-Max-Age", "600")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Cache-Control", "no-store")
}

// showCardField is a small page for a frame on any site. It posts {"type":"paydesk.card","token"} to its parent; ?origin=https://… says
// who alone may hear that.
func showCardField(w http.ResponseWriter, r *http.Request) {
	target := "*"
	if o, err := url.Parse(r.URL.Query().Get("origin")); err == nil && o.Host != "" && (o.Scheme == "http" || o.Scheme == "https") {
		target = o.Scheme + "://" + o.Host
	}
	nonce := rand.Text()
	var page bytes.Buffer
	if err := cardsFieldPage.Execute(&page, map[string]string{"Nonce": nonce, "Target": target}); err != nil {
		http.Error(w, "the page could not be made", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Del("X-Frame-Options") // the field is there to be framed
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "cross-origin")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'nonce-"+nonce+"'; script-src 'nonce-"+nonce+"'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors *")
	h.Set("X-Content-Type-Options", "nosniff")
	page.WriteTo(w)
}

// digitsOf reads a JSON string or number as it is written.
type digitsOf string

// UnmarshalJSON takes the text between the quotes, or the number's.
func (d *digitsOf) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		var n json.Number
		if json.Unmarshal(raw, &n) != nil {
			return errors.New("a text is wanted")
		}
		text = n.String()
	}
	*d = digitsOf(text)
	return nil
}

// takeCard is POST /sandbox/cards: {"token"}, or 400 with what is wrong. Nothing of the card is in an answer or a log.
func (s *Sandbox) takeCard(w http.ResponseWriter, r *http.Request) {
	anyOrigin(w)
	var in struct {
		Number      digitsOf `json:"number"`
		ExpiryMonth digitsOf `json:"expiryMonth"`
		ExpiryYear  digitsOf `json:"expiryYear"`
		CVC         digitsOf `json:"cvc"`
		HolderName  string   `json:"holderName"`
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil { // the decoder's words may repeat what was typed
		badRequest(w, `{"number","expiryMonth","expiryYear","cvc","holderName"} is wanted, in JSON`)
		return
	}
	kept, err := s.keepCard(r.Context(), typedCard{number: string(in.Number), month: string(in.ExpiryMonth), year: string(in.ExpiryYear), cvc: string(in.CVC), holder: in.HolderName})
	var bad *badCard
	switch {
	case errors.As(err, &bad):
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		json.NewEncoder(w).Encode(map[string]string{"error": bad.Error(), "field": bad.field})
	case err != nil:
		s.failed(w, r, err)
	default:
		stripeWrite(w, http.StatusOK, map[string]string{"token": kept.Token})
	}
}

// stripeNewMethod is POST /v1/payment_methods, which browsers call with the publishable key.
func (s *Sandbox) stripeNewMethod(ctx context.Context, c stripeCall) (any, error) {
	if err := c.knows("type", "card[number]", "card[exp_month]", "card[exp_year]", "card[cvc]", "billing_details[name]"); err != nil {
		return nil, err
	}
	if c.form.Get("type") != "card" {
		return nil, stripeBad("type", "The sandbox has cards only")
	}
	kept, err := s.keepCard(ctx, typedCard{number: c.form.Get("card[number]"), month: c.form.Get("card[exp_month]"), year: c.form.Get("card[exp_year]"), cvc: c.form.Get("card[cvc]"),
		holder: c.form.Get("billing_details[name]")})
	var bad *badCard
	if errors.As(err, &bad) {
		param := map[string]string{"number": "card[number]", "expiryMonth": "card[exp_month]", "expiryYear": "card[exp_year]", "cvc": "card[cvc]", "holderName": "billing_details[name]"}[bad.field]
		return nil, &stripeRefusal{status: http.StatusPaymentRequired, kind: stripeCardError, code: "incorrect_" + strings.ToLower(bad.field), param: param, about: bad.about}
	}
	return stripeMethodObject(kept), err
}

// stripeMethod is GET /v1/payment_methods/{id}.
func (s *Sandbox) stripeMethod(ctx context.Context, c stripeCall) (any, error) {
	kept, err := s.findCard(ctx, c.PathValue("id"))
	if errors.Is(err, errNoCard) {
		return nil, stripeMissing("PaymentMethod", "payment_method")
	}
	if err = errors.Join(c.knows(), err); err != nil {
		return nil, err
	}
	return stripeMethodObject(kept), nil
}

func stripeMethodObject(c storedCard) map[string]any {
	return map[string]any{"id": c.Token, "object": "payment_method", "type": "card", "livemode": false, "created": c.Created.Unix(), "customer": nil, "metadata": map[string]string{},
		"billing_details": map[string]any{"name": c.Holder},
		"card": map[string]any{"brand": c.Brand, "country": c.Country, "exp_month": c.Month, "exp_year": c.Year, "fingerprint": c.Fingerprint, "funding": c.Funding, "last4": c.Last4,
			"three_d_secure_usage": map[string]bool{"supported": true}}}
}

// renderSecure is the issuer's page for 3-D Secure. A browser goes back to the merchant by itself once the payer has chosen; a program that
// plays the payer stays.
func renderSecure(w http.ResponseWriter, code int, v payerView) {
	if to := goesBack(code, v); to != "" {
		w.Header().Set("Refresh", "3; url="+to) // the page says three seconds; what the header says comes before what the page does
	}
	writePage(w, code, cardsSecurePage, v)
}
