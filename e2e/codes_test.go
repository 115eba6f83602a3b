package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/testenv"
)

// sent is what /dev/messages shows (contract §6).
type sent struct{ Kind, To, Subject, Body, Code string }

func (c *customer) messages(t testing.TB) (out []sent) {
	t.Helper()
	res, err := web.Get(c.s.URL + "/dev/messages?accountId=" + c.AccountID)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// sendCode has a code sent and gives it as its reader sees it.
func (c *customer) sendCode(t testing.TB, input map[string]any) string {
	t.Helper()
	var out struct {
		SendVerificationCode struct {
			SentTo *string
			Errors []userError
		}
	}
	c.must(t, `mutation($in: SendVerificationCodeInput!) { sendVerificationCode(input: $in) { sentTo errors { code message } } }`, map[string]any{"in": input}, &out)
	if out.SendVerificationCode.SentTo == nil {
		t.Fatalf("sendVerificationCode: %+v", out.SendVerificationCode.Errors)
	}
	m := c.messages(t)[0]
	if len(m.Code) != 6 || !strings.Contains(m.Body, m.Code) {
		t.Fatalf("the newest message has no code: %+v", m)
	}
	return m.Code
}

// protect turns operation protection on, or off with a code.
func (c *customer) protect(t testing.TB, on bool, code string) []userError {
	t.Helper()
	var out struct{ UpdateAccountSettings struct{ Errors []userError } }
	c.must(t, `mutation($on: Boolean!, $code: String) { updateAccountSettings(input: {operationProtection: $on, verificationCode: $code}) { errors { code message } } }`,
		map[string]any{"on": on, "code": code}, &out)
	return out.UpdateAccountSettings.Errors
}

// HW-34, D2: where protection is on a payment from balance and online together needs a code, which is good for these orders and amounts
// and for one payment; each part alone needs none.
func TestCombinedPaymentNeedsACode(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{env: []string{"PAYDESK_LOG_LEVEL=debug"}})
		c := s.customer(t)
		c.charge(t, "ALIPAY", "100.00")
		if errs := c.protect(t, true, ""); len(errs) > 0 {
			t.Fatal(errs)
		}
		orders := c.orders(t, 3, "50.00")
		funding := map[string]any{"balance": money("20.00"), "online": map[string]any{"channel": "ALIPAY", "amount": money("30.00")}}
		pay := func(order, code string) result {
			t.Helper()
			var out struct{ Result result }
			c.must(t, `mutation($input: PayInput!) { result: pay(input: $input) { payment `+paymentFields+` errors { code message } } }`,
				map[string]any{"input": map[string]any{"idempotencyKey": unique("combined"), "orderId": order, "funding": funding, "verificationCode": code}}, &out)
			return out.Result
		}
		if r := pay(orders[0], ""); r.code() != "VERIFICATION_REQUIRED" {
			t.Fatalf("without a code: %+v", r)
		}
		code := c.sendCode(t, map[string]any{"scene": "COMBINED_PAYMENT", "kind": "SMS", "orderIds": orders[:1], "funding": funding})
		if r := pay(orders[1], code); r.code() != "VERIFICATION_FAILED" {
			t.Errorf("another order: %+v", r)
		}
		r := pay(orders[0], code)
		if r.Payment == nil || r.Payment.NextAction == nil {
			t.Fatalf("with its code: %+v", r)
		}
		if r := pay(orders[1], code); r.code() != "VERIFICATION_FAILED" {
			t.Errorf("once more: %+v", r)
		}
		if err := payer(r.Payment.NextAction.Content, "succeed"); err != nil {
			t.Fatal(err)
		}
		c.awaitStatus(t, r.Payment.ID, "SUCCEEDED")
		if r, err := c.pay(unique("alone"), orders[2], balanceOf("50.00")); err != nil || r.Payment == nil {
			t.Errorf("from the balance alone: %+v %v", r, err)
		}
		if errs := c.protect(t, false, code); len(errs) != 1 || errs[0].Code != "VERIFICATION_FAILED" {
			t.Errorf("protection off with a payment's code: %+v", errs)
		}
		settings := c.sendCode(t, map[string]any{"scene": "SETTINGS", "kind": "EMAIL"})
		if errs := c.protect(t, false, settings); len(errs) > 0 {
			t.Error(errs)
		}
		if r := pay(orders[1], ""); r.Payment == nil {
			t.Errorf("where protection is off: %+v", r)
		}
		for _, secret := range []string{code, settings, "li.na@example.com", "13800138000"} {
			for line := range strings.Lines(s.log.tail(8 << 20)) {
				if strings.Contains(line, `"`+secret) || strings.Contains(line, "="+secret) || strings.Contains(line, " "+secret) {
					t.Errorf("the log shows %s: %s", secret, line)
				}
			}
		}
	})
}

// An SMS is posted with its signature; the server dies after it was taken and before it noted that, and sends it again under the same id.
func TestSMSIsSentAgainAfterACrash(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		const secret = "an e2e secret of ours"
		var mu sync.Mutex
		var ids []string
		gateway := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			mu.Lock()
			defer mu.Unlock()
			if r.Header.Get(notify.HeaderSignature) != notify.Sign(secret, r.Header.Get(notify.HeaderTimestamp), body) {
				t.Errorf("unsigned: %s %v", body, r.Header)
			}
			ids = append(ids, r.Header.Get(notify.HeaderIdempotency))
		}))
		defer gateway.Close()
		taken := func() []string {
			mu.Lock()
			defer mu.Unlock()
			return append([]string{}, ids...)
		}
		env := append(homeEnv(home), "PAYDESK_SMS_URL="+gateway.URL, "PAYDESK_SMS_SECRET="+secret)
		o := options{tags: "failpoint", listen: freeAddress(t)}
		doomed := o
		doomed.env = []string{"PAYDESK_FAILPOINT=message.sent"}
		mortal := launch(t, env, doomed)
		mortal.awaitReady(t)
		c := mortal.customer(t)
		_ = c.ask(`mutation { sendVerificationCode(input: {scene: WITHDRAWAL, kind: SMS}) { sentTo } }`, nil, &struct{}{}) // it may die before it has answered
		mortal.awaitKilled(t)
		if got := taken(); len(got) != 1 {
			t.Fatalf("%d were posted before it died", len(got))
		}
		s := start(t, env, o)
		c.s = s
		s.advance(t, "1m59s")
		if got := taken(); len(got) != 1 {
			t.Errorf("posted again while the lease held: %v", got)
		}
		s.advance(t, "2s")
		await(t, readyWithin, "it is posted again", func() (bool, error) { got := taken(); return len(got) == 2, fmt.Errorf("%v", got) })
		if got := taken(); got[0] != got[1] || got[0] == "" {
			t.Errorf("two messages: %v", got)
		}
		s.advance(t, "1h")
		if got := taken(); len(got) != 2 || len(c.messages(t)) != 1 {
			t.Errorf("%d were posted", len(got))
		}
		// What an order's review tells goes the same way (HW-36).
		review := map[string]any{"orderId": c.undecided(t, "PENDING_REVIEW")[0], "approve": true}
		if d, err := s.signIn(t, "OPERATOR", "").review(review); err != nil || len(d.Errors) > 0 {
			t.Fatal(d, err)
		}
		await(t, readyWithin, "the review is told", func() (bool, error) { got := taken(); return len(got) == 3, fmt.Errorf("%v", got) })
	})
}
