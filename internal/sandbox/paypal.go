package sandbox

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"paydesk/internal/platform/settings"
	"paydesk/models"
)

// PayPalPath is the gateway's, under the address the process listens on.
const PayPalPath = "/sandbox/paypal"

func paypalProtocol() protocol {
	return protocol{
		channels: []models.PaymentChannel{models.ChannelPayPal},
		mount: func(s *Sandbox, mux *http.ServeMux) {
			mux.HandleFunc("POST "+PayPalPath+"/v1/oauth2/token", s.paypalToken)
			mux.HandleFunc("GET "+PayPalPath+"/v1/notifications/certs/{id}", s.paypalCertificate)
			// The payments misbehave; what a merchant's application is, does not.
			mux.HandleFunc("GET "+PayPalPath+"/v1/notifications/webhooks/{id}", s.paypal((*Sandbox).paypalWebhook))
			mux.HandleFunc("PATCH "+PayPalPath+"/v1/notifications/webhooks/{id}", s.paypal((*Sandbox).paypalMoveWebhook))
			for pattern, perform := range map[string]paypalOperation{
				"POST /v2/checkout/orders":               (*Sandbox).paypalCreate,
				"GET /v2/checkout/orders/{id}":           (*Sandbox).paypalOrder,
				"POST /v2/checkout/orders/{id}/capture":  (*Sandbox).paypalCapture,
				"GET /v2/payments/captures/{id}":         (*Sandbox).paypalShowCapture,
				"POST /v2/payments/captures/{id}/refund": (*Sandbox).paypalRefund,
				"GET /v2/payments/refunds/{id}":          (*Sandbox).paypalQueryRefund,
				"GET /v1/reporting/transactions":         (*Sandbox).paypalReport,
			} {
				method, path, _ := strings.Cut(pattern, " ")
				mux.HandleFunc(method+" "+PayPalPath+path, s.misbehaving(models.ChannelPayPal, s.paypal(perform)))
			}
		},
		write:          paypalLetter,
		acknowledged:   succeeded2xx,
		tells:          func(to status) bool { return to != declined }, // a payer's refusal is found by asking
		refundsAtTrade: true,
		page:           payerView{App: "PayPal", AppZH: "PayPal 贝宝", Look: "blue"},
		succeed:        paypalConsents,
		decline:        paypalDeclines,
		render:         paypalPage,
	}
}

// paypalAnswer is a response; Body nil is an empty one.
type paypalAnswer struct {
	Status int
	Body   any
}

// paypalRefusal is PayPal's form of an error: a name, and the issue that says what it is.
func paypalRefusal(status int, name, issue string) paypalAnswer {
	return paypalAnswer{status, map[string]any{"name": name, "message": "The requested action could not be performed, semantically incorrect, or failed business validation.",
		"debug_id": strings.ToLower(upperHex(7)), "details": []any{map[string]string{"issue": issue, "description": issue}}, "links": []any{}}}
}

func paypalUnprocessable(issue string) paypalAnswer {
	return paypalRefusal(http.StatusUnprocessableEntity, "UNPROCESSABLE_ENTITY", issue)
}

func paypalInvalid(issue string) paypalAnswer {
	return paypalRefusal(http.StatusBadRequest, "INVALID_REQUEST", issue)
}

func paypalUnknown() paypalAnswer {
	return paypalRefusal(http.StatusNotFound, "RESOURCE_NOT_FOUND", "INVALID_RESOURCE_ID")
}

// paypalOperation is an operation of the REST API for a merchant who has shown a token.
type paypalOperation func(s *Sandbox, k *paypalKeys, r *http.Request, body []byte) (paypalAnswer, error)

// paypal wants a token, performs and answers.
func (s *Sandbox) paypal(perform paypalOperation) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "body too long", http.StatusRequestEntityTooLarge)
			return
		}
		k, err := s.paypalKeys(r.Context())
		if err != nil {
			s.failed(w, r, err)
			return
		}
		token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !k.issued(token) {
			paypalReply(w, paypalAnswer{http.StatusUnauthorized, map[string]string{"error": "invalid_token", "error_description": "Token signature verification failed"}})
			return
		}
		answer, err := perform(s, k, r, body)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		paypalReply(w, answer)
	}
}

func paypalReply(w http.ResponseWriter, a paypalAnswer) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Paypal-Debug-Id", strings.ToLower(upperHex(7)))
	w.WriteHeader(a.Status)
	if a.Body != nil {
		w.Write(rawJSON(a.Body))
	}
}

// paypalTokenFor is how long a token lives.
const paypalTokenFor = 9 * time.Hour

// paypalToken gives a token for the application's id and secret (OAuth 2, client credentials).
func (s *Sandbox) paypalToken(w http.ResponseWriter, r *http.Request) {
	k, err := s.paypalKeys(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	id, secret, _ := r.BasicAuth()
	switch {
	case id != k.ClientID || !hmac.Equal([]byte(secret), []byte(k.ClientSecret)):
		paypalReply(w, paypalAnswer{http.StatusUnauthorized, map[string]string{"error": "invalid_client", "error_description": "Client Authentication failed"}})
	case r.PostFormValue("grant_type") != "client_credentials":
		paypalReply(w, paypalAnswer{http.StatusBadRequest, map[string]string{"error": "unsupported_grant_type", "error_description": "Grant Type is NULL"}})
	default:
		paypalReply(w, paypalAnswer{http.StatusOK, map[string]any{"scope": "https://uri.paypal.com/services/payments/payment", "access_token": k.issue(time.Now().Add(paypalTokenFor)),
			"token_type": "Bearer", "app_id": "APP-80W284485P519543T", "expires_in": int(paypalTokenFor / time.Second), "nonce": newToken()}})
	}
}

// issue writes a token that any instance knows again: its end and a seal.
func (k *paypalKeys) issue(end time.Time) string {
	head := strconv.FormatInt(end.Unix(), 36)
	seal := hmac.New(sha256.New, []byte(k.ClientSecret))
	seal.Write([]byte(head))
	return fmt.Sprintf("A21AA%s.%x", head, seal.Sum(nil))
}

func (k *paypalKeys) issued(token string) bool {
	head, _, _ := strings.Cut(strings.TrimPrefix(token, "A21AA"), ".")
	end, err := strconv.ParseInt(head, 36, 64)
	return err == nil && time.Now().Unix() < end && hmac.Equal([]byte(token), []byte(k.issue(time.Unix(end, 0))))
}

// paypalWebhookSetting is the row of table settings that has where the merchant's application wants to be told.
const paypalWebhookSetting = "sandbox.paypal.webhook"

// paypalReportsTo is our own webhook, as if somebody had entered it in the dashboard, until another address is set.
func (s *Sandbox) paypalReportsTo(ctx context.Context) (string, error) {
	address, found, err := settings.Get(ctx, s.db, paypalWebhookSetting)
	if err == nil && !found {
		address = strings.TrimSuffix(s.publicURL(), "/") + "/webhooks/" + string(models.ChannelPayPal)
	}
	return address, err
}

func (s *Sandbox) paypalWebhook(k *paypalKeys, r *http.Request, _ []byte) (paypalAnswer, error) {
	if r.PathValue("id") != k.WebhookID {
		return paypalUnknown(), nil
	}
	address, err := s.paypalReportsTo(r.Context())
	return paypalAnswer{http.StatusOK, map[string]any{"id": k.WebhookID, "url": address, "event_types": []any{map[string]string{"name": "*"}}}}, err
}

// paypalMoveWebhook is a JSON patch that replaces /url.
func (s *Sandbox) paypalMoveWebhook(k *paypalKeys, r *http.Request, body []byte) (paypalAnswer, error) {
	var in []struct{ Op, Path, Value string }
	if err := json.Unmarshal(body, &in); err != nil || len(in) != 1 || in[0].Op != "replace" || in[0].Path != "/url" || !strings.HasPrefix(in[0].Value, "http") {
		return paypalInvalid("INVALID_PATCH"), nil
	}
	old, err := settings.GetOrCreate(r.Context(), s.db, paypalWebhookSetting, func() string { return in[0].Value })
	if err == nil {
		_, err = settings.Replace(r.Context(), s.db, paypalWebhookSetting, old, in[0].Value)
	}
	if err != nil {
		return paypalAnswer{}, err
	}
	return s.paypalWebhook(k, r, nil)
}
