package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"paydesk/models"
)

// StripePath is the API's, under the address the process listens on.
const StripePath = "/sandbox/stripe"

// stripeVersion is the API's version; its release train has to be the SDK's.
const stripeVersion = "2026-03-25.dahlia"

func stripeProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelBankCard},
		mount: func(s *Sandbox, mux *http.ServeMux) {
			for pattern, perform := range map[string]stripeOperation{
				"POST /v1/payment_methods":              (*Sandbox).stripeNewMethod,
				"GET /v1/payment_methods/{id}":          (*Sandbox).stripeMethod,
				"POST /v1/payment_intents":              (*Sandbox).stripeCharge,
				"GET /v1/payment_intents/search":        (*Sandbox).stripeSearch,
				"GET /v1/payment_intents/{id}":          (*Sandbox).stripeRetrieve,
				"POST /v1/payment_intents/{id}/confirm": (*Sandbox).stripeConfirm,
				"POST /v1/payment_intents/{id}/cancel":  (*Sandbox).stripeCancel,
				"POST /v1/refunds":                      (*Sandbox).stripeNewRefund,
				"GET /v1/refunds":                       (*Sandbox).stripeRefunds,
				"GET /v1/refunds/{id}":                  (*Sandbox).stripeRefund,
				"GET /v1/balance_transactions":          (*Sandbox).stripeBalance,
				"POST /v1/webhook_endpoints":            (*Sandbox).stripeEndpoint,
			} {
				method, path, _ := strings.Cut(pattern, " ")
				mux.HandleFunc(method+" "+StripePath+path, s.stripe(perform))
			}
			mux.HandleFunc("POST "+DisputesPath, s.playDispute)
			mountCards(s, mux)
		},
		write:          stripeLetter,
		acknowledged:   succeeded2xx,
		tells:          func(to status) bool { return to != approved }, // of an intent that waits to be confirmed Stripe tells nobody
		comesBack:      func(to status) bool { return to == approved },
		refundsAtTrade: true,
		page:           payerView{App: "3-D Secure", AppZH: "3-D Secure 验证"},
		succeed:        stripeAuthenticated,
		decline:        stripeNotAuthenticated,
		render:         renderSecure,
	}
}

// stripeCall is a request whose key is right.
type stripeCall struct {
	*http.Request
	form   url.Values // of the body or the query; list indices are left away: expand[0] is expand[]
	keys   *stripeKeys
	public bool        // with the publishable key: anybody's browser
	head   http.Header // of the answer
}

// stripeOperation performs a call; a *stripeRefusal as its error is an answer.
type stripeOperation func(s *Sandbox, ctx context.Context, c stripeCall) (any, error)

// stripeRefusal is an error object.
type stripeRefusal struct {
	status                            int
	kind, code, decline, param, about string
	intent                            map[string]any
}

// Error is for the log.
func (e *stripeRefusal) Error() string { return "stripe: " + e.kind + " " + e.code }

const (
	stripeInvalid     = "invalid_request_error"
	stripeCardError   = "card_error"
	stripeIdempotency = "idempotency_error"
)

func stripeBad(param, about string) *stripeRefusal {
	return &stripeRefusal{status: http.StatusBadRequest, kind: stripeInvalid, code: "parameter_invalid", param: param, about: about}
}

func stripeMissing(what, param string) *stripeRefusal {
	return &stripeRefusal{status: http.StatusNotFound, kind: stripeInvalid, code: "resource_missing", param: param, about: "No such " + what}
}

// object is the error as it goes over the wire, also as last_payment_error of an intent.
func (e *stripeRefusal) object() map[string]any {
	o := map[string]any{"type": e.kind, "message": e.about}
	for name, value := range map[string]string{"code": e.code, "decline_code": e.decline, "param": e.param} {
		if value != "" {
			o[name] = value
		}
	}
	if e.intent != nil {
		o["payment_intent"] = e.intent
	}
	return o
}

// stripe checks the key and the parameters' form, performs the call and answers.
func (s *Sandbox) stripe(perform stripeOperation) http.HandlerFunc {
	return s.misbehaving(models.ChannelBankCard, func(w http.ResponseWriter, r *http.Request) {
		k, err := s.stripeKeys(r.Context())
		if err != nil {
			s.failed(w, r, err)
			return
		}
		w.Header().Set("Request-Id", "req_"+upperHex(7))
		w.Header().Set("Stripe-Version", stripeVersion)
		if r.Header.Get("Origin") != "" { // the API takes publishable keys from any page
			w.Header().Set("Access-Control-Allow-Origin", "*")
		}
		answer, err := s.stripeAnswer(w, r, k, perform)
		var refusal *stripeRefusal
		switch {
		case errors.As(err, &refusal):
			stripeWrite(w, refusal.status, map[string]any{"error": refusal.object()})
		case err != nil:
			s.failed(w, r, err)
		default:
			stripeWrite(w, http.StatusOK, answer)
		}
	})
}

func (s *Sandbox) stripeAnswer(w http.ResponseWriter, r *http.Request, k *stripeKeys, perform stripeOperation) (any, error) {
	given := r.Header.Get("Authorization")
	public := given == "Bearer "+k.Publishable && r.Method == http.MethodPost && forBrowsers.MatchString(strings.TrimPrefix(r.URL.Path, StripePath))
	if given != "Bearer "+k.Secret && !public {
		return nil, &stripeRefusal{status: http.StatusUnauthorized, kind: stripeInvalid, about: "Invalid API Key provided"}
	}
	if err := r.ParseForm(); err != nil {
		return nil, stripeBad("", "Unreadable parameters")
	}
	return perform(s, r.Context(), stripeCall{Request: r, form: plainLists(r.Form), keys: k, public: public, head: w.Header()})
}

// forBrowsers are the calls that the publishable key is good for: making a payment method, and confirming an intent whose client_secret one has.
var forBrowsers = regexp.MustCompile(`^/v1/(payment_methods|payment_intents/[^/]+/confirm)$`)

func stripeWrite(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

var listIndex = regexp.MustCompile(`\[[0-9]+\]`)

func plainLists(given url.Values) url.Values {
	out := url.Values{}
	for name, values := range given {
		name = listIndex.ReplaceAllString(name, "[]")
		out[name] = append(out[name], values...)
	}
	return out
}

// knows refuses what the operation has no parameter for; metadata and expand go everywhere.
func (c stripeCall) knows(params ...string) error {
	for name := range c.form {
		if !slices.Contains(params, name) && !strings.HasPrefix(name, "metadata[") && name != "expand[]" {
			return &stripeRefusal{status: http.StatusBadRequest, kind: stripeInvalid, code: "parameter_unknown", param: name, about: "Received unknown parameter: " + name}
		}
	}
	return nil
}

// named is an object's id: with an Idempotency-Key the same for the same key, so that a repeated call finds what the first one made.
func (c stripeCall) named(prefix string) string {
	if key := c.Header.Get("Idempotency-Key"); key != "" {
		return prefix + c.keys.tag("idempotency "+prefix+key)
	}
	return prefix + upperHex(12)
}

// stripeFailure puts a stored failure, "code decline_code", into an error object.
func stripeFailure(failure string) *stripeRefusal {
	code, decline, _ := strings.Cut(failure, " ")
	about := "Your card was declined."
	if code == authenticationFailure {
		about = "The provided PaymentMethod has failed authentication."
	}
	return &stripeRefusal{status: http.StatusPaymentRequired, kind: stripeCardError, code: code, decline: decline, about: about}
}

// stripePage cuts a page out of a list, newest first, by limit and starting_after.
func stripePage(c stripeCall, path string, all []map[string]any) (any, error) {
	limit := 10
	if text := c.form.Get("limit"); text != "" {
		if _, err := fmt.Sscanf(text, "%d", &limit); err != nil || limit < 1 || limit > 100 {
			return nil, stripeBad("limit", "This value must be between 1 and 100")
		}
	}
	if after := c.form.Get("starting_after"); after != "" {
		at := slices.IndexFunc(all, func(o map[string]any) bool { return o["id"] == after })
		if at < 0 {
			return nil, stripeMissing("object: starting_after", "starting_after")
		}
		all = all[at+1:]
	}
	more := len(all) > limit
	if more {
		all = all[:limit]
	}
	if all == nil {
		all = []map[string]any{}
	}
	return map[string]any{"object": "list", "url": path, "has_more": more, "data": all}, nil
}
