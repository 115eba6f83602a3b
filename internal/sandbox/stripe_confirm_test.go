package sandbox_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/sandbox"
)

const (
	visa3DS = "4000002760003184"
	prepaid = "5105105105105100"
)

// browser is somebody with the publishable key, which everybody has.
func (w *world) browser(path string, form url.Values) (int, string) {
	w.t.Helper()
	c, err := w.sandbox.Stripe(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	r, _ := http.NewRequest("POST", w.url+sandbox.StripePath+path, strings.NewReader(form.Encode()))
	r.Header.Set("Authorization", "Bearer "+c.PublishableKey)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(body)
}

// secretOf is the client_secret with which Stripe sends a payer back.
func (w *world) secretOf(page, choice string) string {
	w.t.Helper()
	res, err := http.Post(page, "application/x-www-form-urlencoded", strings.NewReader(choice))
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	_, address, _ := strings.Cut(res.Header.Get("Refresh"), "url=")
	to, err := url.Parse(address)
	if err != nil || res.StatusCode != http.StatusOK || !strings.HasPrefix(to.Path, "/return/") {
		w.t.Fatalf("sent back: HTTP %d to %v", res.StatusCode, to)
	}
	return to.Query().Get("payment_intent_client_secret")
}

// TX-9, TX-10: Stripe gives the payer's browser all that confirms an intent, and a refused one is open for another card, which nobody has
// looked at. Ours are confirmed by us alone; where one is paid by another card all the same, its money is not taken for the payment's.
func browsersCannotConfirm(t *testing.T, w *world, a channel.Adapter) {
	for _, choice := range []string{"", "outcome=decline", "outcome=succeed"} {
		number, page := w.start(a, visa3DS)
		intent := w.ref(number).Reference
		secret := intent + "_secret_sandbox"
		if choice != "" {
			secret = w.secretOf(page, choice)
		}
		before := w.query(a, number)
		form := url.Values{"client_secret": {secret}, "payment_method": {w.cardToken(prepaid)}}
		if code, body := w.browser("/v1/payment_intents/"+intent+"/confirm", form); code != http.StatusBadRequest || !strings.Contains(body, "cannot be confirmed using your publishable key") {
			t.Errorf("after %q: HTTP %d %s", choice, code, body)
		}
		if e := w.query(a, number); e != before {
			t.Errorf("after %q: %+v, not %+v", choice, e, before)
		}
	}
	if e := w.told(a); e.State != channel.StateDeclined {
		t.Errorf("%+v", e)
	}
	w.hearsNothing()

	// An intent that confirms automatically, as ours did: the payer fails 3-D Secure and pays with a card that is refused here.
	number := freshNumber()
	code, body := w.stripe("POST", "/v1/payment_intents", url.Values{"amount": {"1234"}, "currency": {"usd"}, "confirm": {"true"}, "payment_method": {w.cardToken(visa3DS)}, "payment_method_types[]": {"card"},
		"return_url": {w.url + "/return/" + number}, "metadata[number]": {number}, "metadata[method]": {"pm_given"}})
	var made struct {
		ID         string
		NextAction struct {
			Redirect struct{ URL string } `json:"redirect_to_url"`
		} `json:"next_action"`
	}
	if json.Unmarshal([]byte(body), &made); code != http.StatusOK || made.ID == "" {
		t.Fatal(code, body)
	}
	form := url.Values{"client_secret": {w.secretOf(made.NextAction.Redirect.URL, "outcome=decline")}, "payment_method": {w.cardToken(prepaid)}}
	w.told(a)
	if code, body := w.browser("/v1/payment_intents/"+made.ID+"/confirm", url.Values{"client_secret": {"guessed"}, "payment_method": form["payment_method"]}); code != http.StatusNotFound {
		t.Errorf("without the secret: HTTP %d %s", code, body)
	}
	if code, body := w.browser("/v1/payment_intents/"+made.ID+"/confirm", form); code != http.StatusOK || !strings.Contains(body, `"status":"succeeded"`) {
		t.Fatalf("Stripe takes it: HTTP %d %s", code, body)
	}
	asked, err := a.Query(t.Context(), channel.Ref{Number: number, Reference: made.ID})
	for _, e := range []channel.Event{w.told(a), asked} {
		if err != nil || e.State != channel.StateDisputed || e.Number != number || e.Amount != usd(1234) {
			t.Errorf("paid with another card: %+v %v", e, err)
		}
	}
}

// disputes plays the cardholder's bank.
func (w *world) disputes(number, turn string) int {
	w.t.Helper()
	res, err := http.Post(w.url+sandbox.DisputesPath, "application/json", strings.NewReader(fmt.Sprintf(`{"number":%q,"turn":%q}`, number, turn)))
	if err != nil {
		w.t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}

// A chargeback takes money back past us: each turn of it is told with the payment's number, and the day's statement has what it moved.
func cardDisputes(t *testing.T, w *world, a channel.Adapter) {
	w.clock.advance(48 * time.Hour) // a day of its own
	number, _ := w.start(a)
	w.told(a)
	part := channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: freshNumber(), Amount: usd(234)}}
	w.refund(a, part)
	w.told(a)
	tells := func(turn string, want ...string) {
		t.Helper()
		if code := w.disputes(number, turn); code != http.StatusNoContent {
			t.Fatalf("%s: HTTP %d", turn, code)
		}
		heard := map[string]bool{}
		for range want {
			e := w.told(a)
			heard[e.Detail] = true
			if e.State != channel.StateDisputed || e.Number != number || e.RefundNumber != "" || e.Amount != usd(1000) || !strings.HasPrefix(e.Reference, "dp_") {
				t.Errorf("%s: %+v", turn, e)
			}
		}
		for _, detail := range want {
			if !heard[detail] {
				t.Errorf("%s: %v", turn, heard)
			}
		}
	}
	if code := w.disputes(number, "won"); code != http.StatusConflict {
		t.Errorf("won before it was begun: HTTP %d", code)
	}
	tells("open", "charge.dispute.created needs_response fraudulent", "charge.dispute.funds_withdrawn needs_response fraudulent")
	if _, err := a.Refund(t.Context(), channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: freshNumber(), Amount: usd(1)}}); !errors.Is(err, channel.ErrDeclined) || !strings.Contains(err.Error(), "charge_disputed") {
		t.Errorf("a refund of what the bank has: %v", err)
	}
	if e := w.askRefund(a, part); e.State != channel.StateRefunded {
		t.Errorf("the refund before: %+v", e)
	}
	day := channel.DayOf(a, w.clock.Now())
	w.clock.advance(24 * time.Hour)
	tells("won", "charge.dispute.funds_reinstated won fraudulent", "charge.dispute.closed won fraudulent")
	for _, turn := range []string{"open", "won", "lost"} {
		if code := w.disputes(number, turn); code != http.StatusConflict {
			t.Errorf("%s again: HTTP %d", turn, code)
		}
	}
	w.clock.advance(24 * time.Hour)
	for i, want := range []string{"REFUNDED 10.00 USD, fee 15.00 USD", "PAID 10.00 USD, fee 0.00 USD"} {
		s, err := a.Statement(t.Context(), day.Next(i))
		if err != nil || len(s.Lines) != 3-2*i {
			t.Fatalf("%+v %v", s, err)
		}
		l := s.Lines[slices.IndexFunc(s.Lines, func(l channel.Line) bool { return strings.HasPrefix(l.Reference, "dp_") })]
		if got := fmt.Sprintf("%s %s, fee %s", l.State, l.Amount, l.Fee); got != want || l.Number != number || !strings.HasPrefix(l.RefundNumber, "txn_") || !strings.HasPrefix(l.Reference, "dp_") || !strings.Contains(l.Raw, l.Reference) {
			t.Errorf("%s: %+v", got, l)
		}
	}

	number, _ = w.start(a, "4000000000000259") // Stripe's card whose holder disputes at once
	for range 3 {
		w.told(a)
	}
	if code := w.disputes(number, "lost"); code != http.StatusNoContent {
		t.Errorf("lost: HTTP %d", code)
	}
	if e := w.told(a); e.Detail != "charge.dispute.closed lost fraudulent" || e.Number != number {
		t.Errorf("lost: %+v", e)
	}
	if code := w.disputes(freshNumber(), "open"); code != http.StatusNotFound {
		t.Errorf("unknown: HTTP %d", code)
	}
}
