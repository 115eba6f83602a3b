package dev_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paydesk/internal/dev"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

type world struct {
	http.Handler
	clock    *clock.Shifted
	verifier *auth.Verifier
	account  models.ID
	swept    []time.Time // the product's time of each sweep
}

func start(t *testing.T) *world {
	t.Helper()
	home := testenv.Embedded(t)
	w := &world{account: models.NewID()}
	issuer, err := auth.NewIssuer(t.Context(), home.DB)
	if err != nil {
		t.Fatal(err)
	}
	if w.clock, err = clock.NewShifted(t.Context(), home.DB, nil, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	if w.verifier, err = auth.NewVerifier(t.Context(), auth.Config{DevelopmentKey: issuer.Key()}); err != nil {
		t.Fatal(err)
	}
	w.Handler = dev.New(dev.Config{
		Issuer: issuer, Clock: w.clock,
		People: func(context.Context) ([]dev.Person, error) {
			return []dev.Person{{Name: "Lin", UserID: "u", Role: auth.Finance, Locale: "zh-Hans", AccountID: w.account, AccountNumber: "CS1"},
				{Name: "Zhou", UserID: "o", Role: auth.Operator}}, nil
		},
		Account:  func(_ context.Context, id models.ID) (bool, error) { return id == w.account, nil },
		RunDue:   func(context.Context) error { w.swept = append(w.swept, w.clock.Now()); return nil },
		Messages: func(context.Context, models.ID) ([]dev.Message, error) { return nil, nil },
	})
	return w
}

func (w *world) ask(t *testing.T, method, path, body string) (int, any) {
	t.Helper()
	r := httptest.NewRecorder()
	w.ServeHTTP(r, httptest.NewRequest(method, path, strings.NewReader(body)))
	var out any
	if r.Code != http.StatusNotFound && r.Code != http.StatusMethodNotAllowed {
		if err := json.Unmarshal(r.Body.Bytes(), &out); err != nil {
			t.Fatal(r.Body, err)
		}
	}
	return r.Code, out
}

func TestPersonasCanSignIn(t *testing.T) {
	w := start(t)
	code, out := w.ask(t, "GET", "/dev/personas", "")
	people, _ := out.([]any)
	if code != 200 || len(people) != 2 {
		t.Fatal(code, out)
	}
	lin, zhou := people[0].(map[string]any), people[1].(map[string]any)
	v, err := w.verifier.Verify(t.Context(), lin["token"].(string))
	if err != nil || v.AccountID != w.account || v.Role != auth.Finance || v.Name != "Lin" || v.Locale != "zh-Hans" {
		t.Fatal(v, err)
	}
	if lin["accountId"] != w.account.Encode("acc") || lin["accountNumber"] != "CS1" || zhou["accountId"] != nil {
		t.Fatal(lin, zhou)
	}
}

func TestTokens(t *testing.T) {
	w := start(t)
	id := w.account.Encode("acc")
	for body, want := range map[string]int{
		`{"role":"FINANCE","accountId":"` + id + `"}`:                          200,
		`{"role":"PARTNER","accountId":"` + id + `","userId":"x","ttl":"90s"}`: 200,
		`{"role":"OPERATOR"}`: 200,
		`{"role":"FINANCE"}`:  400,
		`{"role":"ROOT"}`:     400,
		`{"role":"FINANCE","accountId":"` + models.NewID().Encode("acc") + `"}`: 400,
		`{"role":"OPERATOR","accountId":"` + id + `"}`:                          400,
		`{"role":"OPERATOR","ttl":"soon"}`:                                      400,
		`{"role":"OPERATOR","tll":"1h"}`:                                        400,
		`{"role":"OPERATOR"} x`:                                                 400,
		``:                                                                      400,
	} {
		code, out := w.ask(t, "POST", "/dev/token", body)
		if code != want {
			t.Errorf("%s: %d %v", body, code, out)
			continue
		}
		if want == 200 {
			v, err := w.verifier.Verify(t.Context(), out.(map[string]any)["token"].(string))
			if err != nil || v.UserID == "" {
				t.Errorf("%s: %v", body, err)
			}
			// A token's end is in whole seconds (RFC 7519, NumericDate).
			if left := time.Until(v.Expires); strings.Contains(body, "90s") && (left > 91*time.Second || left < 60*time.Second) {
				t.Error(v.Expires)
			}
		}
	}
}

// contract §6: due work has been done when the clock answers.
func TestClock(t *testing.T) {
	w := start(t)
	code, _ := w.ask(t, "POST", "/dev/clock", `{"advance":"72h"}`)
	if code != 200 || len(w.swept) != 1 || time.Until(w.swept[0]) < 71*time.Hour {
		t.Fatal(code, w.swept)
	}
	_, out := w.ask(t, "GET", "/dev/clock", "")
	now, err := time.Parse(time.RFC3339Nano, out.(map[string]any)["now"].(string))
	if err != nil || time.Until(now) < 71*time.Hour {
		t.Fatal(out)
	}
	for _, body := range []string{`{"advance":"-1h"}`, `{"at":"2020-01-01T00:00:00Z"}`, `{}`, `{"advance":"1h","at":"2030-01-01T00:00:00Z"}`, `{"advance":"soon"}`, `{"at":"soon"}`} {
		if code, out := w.ask(t, "POST", "/dev/clock", body); code != 400 {
			t.Errorf("%s: %d %v", body, code, out)
		}
	}
	if len(w.swept) != 1 {
		t.Error("a refused move did work")
	}
}

func TestMessages(t *testing.T) {
	w := start(t)
	if code, out := w.ask(t, "GET", "/dev/messages?accountId="+w.account.Encode("acc"), ""); code != 200 || len(out.([]any)) != 0 {
		t.Error(code, out)
	}
	if code, _ := w.ask(t, "GET", "/dev/messages", ""); code != 400 {
		t.Error(code)
	}
	if code, _ := w.ask(t, "DELETE", "/dev/clock", ""); code != 405 {
		t.Error(code)
	}
}
