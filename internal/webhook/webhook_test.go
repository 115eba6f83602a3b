package webhook_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/internal/platform/page"
	"paydesk/internal/platform/testenv"
	"paydesk/internal/webhook"
	"paydesk/models"
)

// desk is an inbox whose payments and channel do as the test says.
type desk struct {
	*testing.T
	testenv.Home
	inbox   webhook.Inbox
	now     time.Time
	applied []string // numbers, in order
	answer  func(channel.Event) (payment.Verdict, error)
	given   context.Context // of what was applied last
}

func (d *desk) Now() time.Time { return d.now }
func (d *desk) Apply(ctx context.Context, _ models.PaymentChannel, ev channel.Event) (payment.Verdict, error) {
	d.given = ctx
	d.applied = append(d.applied, ev.Number)
	return d.answer(ev)
}

// paper is a channel whose notifications are "id number"; those of "forged" are, those of "away" cannot be judged now, and those
// of "dispute" tell of one.
type paper struct{ channel.Adapter }

func (paper) ParseNotification(_ context.Context, n channel.Notification) (channel.Event, error) {
	id, number, _ := strings.Cut(string(n.Body), " ")
	switch id {
	case "forged":
		return channel.Event{}, channel.ErrForged
	case "away":
		return channel.Event{}, channel.ErrUnavailable
	case "dispute":
		return channel.Event{ID: id, Number: number, RefundNumber: "D1", Reference: "D1", State: channel.StateDisputed}, nil
	}
	return channel.Event{ID: id, Number: number, Reference: "R" + number, State: channel.StatePaid, Amount: money.New(5, "CNY"), PaidAt: time.Unix(1, 0).UTC()}, nil
}
func (paper) Acknowledge() channel.Acknowledgement { return channel.Acknowledgement{Status: 200} }
func (paper) Refuse() channel.Acknowledgement      { return channel.Acknowledgement{Status: 400} }

func each(t *testing.T, fn func(d *desk)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		d := &desk{T: t, Home: home, now: time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)}
		d.inbox = webhook.Inbox{DB: home.DB, Payments: d, Channels: channel.Registry{models.ChannelAlipay: paper{}}, Clock: d, Log: slog.New(slog.DiscardHandler)}
		d.answer = func(channel.Event) (payment.Verdict, error) { return payment.Applied, nil }
		fn(d)
	})
}

func (d *desk) post(body string) {
	d.Helper()
	if code := d.send(body); code != http.StatusOK {
		d.Fatal("not acknowledged", code)
	}
}

func (d *desk) send(body string, header ...string) int {
	r, w := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), httptest.NewRecorder()
	for at := 0; at < len(header); at += 2 {
		r.Header.Set(header[at], header[at+1])
	}
	d.inbox.Serve(w, r, models.ChannelAlipay)
	return w.Code
}

func (d *desk) sweepAfter(pause time.Duration) {
	d.Helper()
	d.now = d.now.Add(pause)
	if _, err := d.inbox.Sweep(d.Context(), 10); err != nil {
		d.Error(err)
	}
}

func (d *desk) verdict(number string) (v string) {
	d.Helper()
	if _, err := d.DB.QueryRow(d.Context(), []any{&v}, "SELECT verdict FROM inbox WHERE number = ?", number); err != nil {
		d.Fatal(err)
	}
	return v
}

// Lesson 4: what is stored is tried until it is applied, however long our own trouble lasts.
func TestTroubleOfOursNeverEndsTheTries(t *testing.T) {
	each(t, func(d *desk) {
		d.answer = func(channel.Event) (payment.Verdict, error) { return "", errors.New("the database is away") }
		d.post("n1 A")
		for range 12 {
			d.sweepAfter(25 * time.Hour)
		}
		d.answer = func(ev channel.Event) (payment.Verdict, error) {
			if want := (channel.Event{ID: "n1", Number: "A", Reference: "RA", State: channel.StatePaid, Amount: money.New(5, "CNY"), PaidAt: time.Unix(1, 0).UTC()}); ev != want {
				d.Errorf("came back as %+v", ev)
			}
			return payment.Applied, nil
		}
		d.sweepAfter(25 * time.Hour)
		if d.verdict("A") != "APPLIED" {
			d.Fatal(d.verdict("A"))
		}
		tries := len(d.applied)
		d.sweepAfter(100 * time.Hour)
		d.post("n1 A")
		if len(d.applied) != tries {
			d.Error("tried again after it was applied")
		}
	})
}

func TestUnknownReferenceIsGivenUpInTheEnd(t *testing.T) {
	each(t, func(d *desk) {
		d.answer = func(channel.Event) (payment.Verdict, error) { return payment.UnknownReference, nil }
		d.post("n1 A")
		for range 12 {
			d.sweepAfter(25 * time.Hour)
		}
		if len(d.applied) != 6 || d.verdict("A") != "UNKNOWN_REFERENCE" {
			d.Fatal(len(d.applied), d.verdict("A"))
		}
	})
}

// A row that cannot be read, and one that panics, do not stand in the way of those behind them.
func TestPoisonDoesNotBlockTheInbox(t *testing.T) {
	each(t, func(d *desk) {
		d.answer = func(channel.Event) (payment.Verdict, error) { return "", errors.New("away") }
		for _, body := range []string{"n1 POISON", "n2 PANIC", "n3 GOOD"} {
			d.post(body)
			d.now = d.now.Add(time.Millisecond)
		}
		if _, err := d.DB.Exec(d.Context(), "UPDATE inbox SET event = '{' WHERE number = 'POISON'"); err != nil {
			d.Fatal(err)
		}
		d.answer = func(ev channel.Event) (payment.Verdict, error) {
			if ev.Number == "PANIC" {
				panic("boom")
			}
			return payment.Applied, nil
		}
		for range 3 {
			func() {
				defer func() { _ = recover() }() // the sweeper does
				d.sweepAfter(10 * time.Second)
			}()
		}
		if d.verdict("GOOD") != "APPLIED" {
			d.Fatal("blocked: ", d.verdict("GOOD"), d.applied)
		}
	})
}

// Two instances with the same row: one tries it, and what it found is not overwritten.
func TestOneInstanceTries(t *testing.T) {
	each(t, func(d *desk) {
		d.answer = func(channel.Event) (payment.Verdict, error) { return "", errors.New("away") }
		d.post("n1 A")
		d.applied = nil
		d.answer = func(channel.Event) (payment.Verdict, error) {
			if len(d.applied) == 1 { // while the first is at it, the other instance sweeps
				d.sweepAfter(0)
				return payment.Applied, nil
			}
			return payment.Nothing, nil
		}
		d.sweepAfter(10 * time.Second)
		if !slices.Equal(d.applied, []string{"A"}) || d.verdict("A") != "APPLIED" {
			d.Fatal(d.applied, d.verdict("A"))
		}
	})
}

// What a provider waits for its acknowledgement ends the applying, not the notification: the inbox tries it again, without hurry, and the
// channel is not blamed for ours.
func TestAHurriedNotificationIsTriedAgain(t *testing.T) {
	each(t, func(d *desk) {
		if d.Name != "embedded" {
			return // four seconds are enough
		}
		d.answer = func(channel.Event) (payment.Verdict, error) {
			<-d.given.Done()
			return "", d.given.Err()
		}
		d.post("n1 A")
		if cause := context.Cause(d.given); !errors.Is(cause, channel.ErrHurried) || d.verdict("A") != "RECEIVED" {
			t.Errorf("%v, %s", cause, d.verdict("A"))
		}
		d.answer = func(channel.Event) (payment.Verdict, error) {
			if _, ok := d.given.Deadline(); ok {
				t.Error("the inbox is in a hurry")
			}
			return payment.Applied, nil
		}
		d.sweepAfter(6 * time.Second)
		if d.verdict("A") != "APPLIED" {
			t.Error(d.verdict("A"))
		}
	})
}

// A dispute is the payments' to judge, whatever it names, and an operator finds it, once.
func TestADisputeIsFound(t *testing.T) {
	each(t, func(d *desk) {
		d.answer = func(ev channel.Event) (payment.Verdict, error) { return payment.Disputed, nil }
		d.inbox.Refunds = nil
		for range 3 {
			d.post("dispute ")
		}
		rows, err := d.inbox.List(d.Context(), nil, []string{"DISPUTED"}, nil, page.First(10))
		if err != nil || len(rows.Items) != 1 || rows.Items[0].Number != "" || rows.Items[0].NextAt != nil || len(d.applied) != 1 {
			t.Errorf("%v %+v, applied %q", err, rows.Items, d.applied)
		}
	})
}
