package card

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// stripeMock starts Stripe's own test server, which holds requests against the API's description, and gives its address. Go builds it once and
// keeps it in its cache.
func stripeMock(t *testing.T) string {
	t.Helper()
	path, err := exec.Command("go", "tool", "-n", "-modfile=../../../tools/stripe-mock/go.mod", "stripe-mock").Output()
	if err != nil {
		t.Fatalf("stripe-mock was not built: %v", err)
	}
	mock := exec.Command(strings.TrimSpace(string(path)), "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
	out, err := mock.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mock.Process.Kill(); mock.Wait() })
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if address, ok := strings.CutPrefix(lines.Text(), "Listening for HTTP at address: "); ok {
			go io.Copy(io.Discard, out)
			return "http://" + address
		}
	}
	t.Fatal("stripe-mock ended: ", lines.Err())
	return ""
}

// answers keeps what was called and how it was answered.
type answers struct {
	mu   sync.Mutex
	seen map[string]string
}

var stripeID = regexp.MustCompile(`/(pi|pm|re)_[^/]+`)

// RoundTrip notes the call; a refusal with its reason.
func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(body))
	said := res.Status
	if res.StatusCode != http.StatusOK {
		said += " " + string(body)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.seen[r.Method+" "+stripeID.ReplaceAllString(r.URL.Path, "/$1")] = said
	return res, nil
}

// Every call that the adapter makes has the shape that Stripe describes: stripe-mock refuses parameters that it does not know, that are missing
// or of another kind. It keeps nothing, so what it answers is not looked at here.
func TestStripeMockAcceptsEveryCall(t *testing.T) {
	heard := &answers{seen: map[string]string{}}
	a, err := New(Config{BaseURL: stripeMock(t), SecretKey: "sk_test_1", WebhookSecret: "whsec_1", Mode: guard.Sandbox, HTTPClient: &http.Client{Transport: heard}})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	known := channel.Ref{Number: "P1", Reference: "pi_1", Amount: money.New(1234, "USD"), MadeAt: time.Now()}
	unknown := channel.Ref{Number: "P1", Amount: known.Amount}
	_, _ = a.Start(ctx, channel.StartRequest{Ref: known, Subject: "Orders <1>", ReturnURL: "https://example.com/return/P1", CardToken: "pm_1", Challenge: true})
	_, _ = a.Query(ctx, known)
	_, _ = a.Query(ctx, unknown)
	_, _ = a.Complete(ctx, known)
	_, _ = a.confirm(ctx, "pi_1") // the mock has no intent that waits for it
	_ = a.Close(ctx, known)
	_, _ = a.Refund(ctx, channel.RefundRequest{Payment: known, Refund: channel.Ref{Number: "R1", Amount: money.New(234, "USD")}, Reason: "broken"})
	_, _ = a.QueryRefund(ctx, known, channel.Ref{Number: "R1", Reference: "re_1"})
	_, _ = a.Inspect(ctx, "pm_1")
	_, _ = a.Statement(ctx, channel.DayIn(time.Now(), time.UTC).Next(-1))

	for _, call := range []string{"POST /v1/payment_intents", "GET /v1/payment_intents/pi", "GET /v1/payment_intents/search", "POST /v1/payment_intents/pi/confirm", "POST /v1/payment_intents/pi/cancel", "POST /v1/refunds", "GET /v1/refunds",
		"GET /v1/refunds/re", "GET /v1/payment_methods/pm", "GET /v1/balance_transactions"} {
		if said := heard.seen[call]; said != "200 OK" {
			t.Errorf("%s: %q", call, said)
		}
		delete(heard.seen, call)
	}
	if len(heard.seen) != 0 {
		t.Error("calls that nobody has looked at: ", fmt.Sprint(heard.seen))
	}
}
