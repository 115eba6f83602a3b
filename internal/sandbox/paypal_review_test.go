package sandbox_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// PayPal may keep a payer's money while it makes up its mind: it is neither ours nor given up, whoever asks, and stands in its day's statement.
func TestPayPalReview(t *testing.T) {
	eachOf(t, paypalOnly, func(t *testing.T, w *world, a channel.Adapter) {
		for _, c := range []struct {
			play  string
			after channel.State
			line  channel.State
		}{{"outcome=succeed", channel.StatePaid, channel.StatePaid}, {"outcome=decline", channel.StateDeclined, ""}} {
			number, page := w.start(a)
			w.mustPlay(page, "outcome=succeed&account=review@example.com")
			w.parse(a, w.hears())
			taken, err := a.Complete(t.Context(), w.ref(number))
			again, err2 := a.Complete(t.Context(), w.ref(number))
			for what, e := range map[string]channel.Event{"taken": taken, "taken again": again, "told": w.parse(a, w.hears()), "asked": w.query(a, number)} {
				if err != nil || err2 != nil || e.State != channel.StateInReview || e.Number != number || e.Reference != w.ref(number).Reference || !strings.Contains(e.Detail, "PENDING_REVIEW") {
					t.Errorf("%s: %+v %v %v", what, e, err, err2)
				}
			}
			if err := a.Close(t.Context(), w.ref(number)); !errors.Is(err, channel.ErrAlreadyPaid) {
				t.Errorf("closed in review: %v", err)
			}
			back := channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: freshNumber(), Amount: money.New(100, "USD")}}
			if e, err := a.Refund(t.Context(), back); !errors.Is(err, channel.ErrUnknown) {
				t.Errorf("refunded in review: %+v %v", e, err)
			}
			w.paypalLine(a, number, channel.StatePending)
			if _, html := w.get(page); !strings.Contains(html, "PayPal denies it") {
				t.Errorf("the page of a payment in review: %s", html)
			}
			w.mustPlay(page, c.play)
			if told, asked := w.parse(a, w.hears()), w.query(a, number); told.State != c.after || asked.State != c.after || told.Number != number {
				t.Errorf("%s: told %+v, asked %+v", c.play, told, asked)
			}
			if code := w.play(page, c.play); code != http.StatusConflict {
				t.Errorf("decided twice: HTTP %d", code)
			}
			w.paypalLine(a, number, c.line)
		}
	})
}

// paypalLine wants a payment's line of today's statement in a state, or none. It reads it as on the morning after.
func (w *world) paypalLine(a channel.Adapter, number string, state channel.State) {
	w.t.Helper()
	day := channel.DayOf(a, w.clock.Now())
	w.clock.advance(24 * time.Hour)
	defer w.clock.advance(-24 * time.Hour)
	s, err := a.Statement(w.t.Context(), day)
	if err != nil {
		w.t.Error(err)
	}
	var seen channel.State
	for _, l := range s.Lines {
		if l.Number == number && l.RefundNumber == "" {
			seen = l.State
		}
	}
	if seen != state {
		w.t.Errorf("the statement has %s as %q, not %q", number, seen, state)
	}
}

// Money that PayPal takes back past us: it is told by the payment's number, and the statement has it under PayPal's own beside the payment.
func TestPayPalReversal(t *testing.T) {
	eachOf(t, paypalOnly, func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		if code := w.play(page, "outcome=decline&dispute=true"); code != http.StatusConflict {
			t.Errorf("disputed before it was paid: HTTP %d", code)
		}
		w.mustPlay(page, "outcome=succeed")
		w.parse(a, w.hears())
		if _, err := a.Complete(t.Context(), w.ref(number)); err != nil {
			t.Fatal(err)
		}
		w.parse(a, w.hears())
		if code := w.play(page, "outcome=decline"); code != http.StatusConflict {
			t.Errorf("declined after it was paid: HTTP %d", code)
		}
		back := channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: freshNumber(), Amount: money.New(234, "USD")}}
		if _, err := a.Refund(t.Context(), back); err != nil {
			t.Fatal(err)
		}
		w.parse(a, w.hears())
		w.mustPlay(page, "outcome=decline&dispute=true")
		details, reversal := map[string]bool{}, ""
		for range 2 {
			e := w.parse(a, w.hears())
			kind, _, _ := strings.Cut(e.Detail, " ")
			details[kind] = true
			if kind == "PAYMENT.CAPTURE.REVERSED" {
				reversal = e.Reference
			}
			if e.State != channel.StateDisputed || e.Number != number || e.RefundNumber != "" || e.Amount != money.New(1000, "USD") {
				t.Errorf("told: %+v", e)
			}
		}
		if !details["CUSTOMER.DISPUTE.CREATED"] || !details["PAYMENT.CAPTURE.REVERSED"] {
			t.Errorf("told of %v", details)
		}
		if e := w.query(a, number); e.State != channel.StatePaid {
			t.Errorf("it was paid all the same: %+v", e)
		}
		missing := channel.Ref{Number: freshNumber(), Amount: money.New(1000, "USD"), MadeAt: time.Now()}
		if e, err := a.QueryRefund(t.Context(), w.ref(number), missing); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("it may be the refund that bears no number: %+v %v", e, err)
		}
		later := channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: freshNumber(), Amount: missing.Amount, MadeAt: time.Now().Add(time.Hour)}}
		if e, err := a.QueryRefund(t.Context(), later.Payment, later.Refund); err != nil || e.State != channel.StateNotFound {
			t.Errorf("it is not the refund that was made an hour before: %+v %v", e, err)
		}
		if e, err := a.Refund(t.Context(), later); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("there is nothing left to give back: %+v %v", e, err)
		}
		if e, err := a.QueryRefund(t.Context(), w.ref(number), back.Refund); err != nil || e.State != channel.StateRefunded {
			t.Errorf("the refund of ours: %+v %v", e, err)
		}
		day := channel.DayOf(a, w.clock.Now())
		w.clock.advance(24 * time.Hour)
		s, err := a.Statement(t.Context(), day)
		if err != nil || len(s.Lines) != 3 {
			t.Fatalf("statement: %+v %v", s, err)
		}
		for i, want := range []channel.Line{{State: channel.StatePaid, Amount: money.New(1234, "USD")}, {State: channel.StateRefunded, Amount: money.New(234, "USD"), RefundNumber: back.Refund.Number},
			{State: channel.StateRefunded, Amount: money.New(1000, "USD"), RefundNumber: reversal}} {
			if l := s.Lines[i]; l.Number != number || l.State != want.State || l.Amount != want.Amount || l.RefundNumber != want.RefundNumber {
				t.Errorf("line %d: %+v", i, l)
			}
		}
	})
}
