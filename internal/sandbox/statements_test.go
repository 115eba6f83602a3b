package sandbox_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/alipay"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// Item 1 of the issue: a day's statement has its payments and refunds, to the cent, under our numbers and the provider's; refunds stand in
// the day that they were made, whatever the day of their payment. It is there when the day is over.
func TestStatements(t *testing.T) {
	each(t, func(t *testing.T, w *world, a channel.Adapter) {
		toNoon(w, a)
		first := channel.DayOf(a, w.clock.Now())
		if _, err := a.Statement(t.Context(), first); !errors.Is(err, channel.ErrNoStatement) {
			t.Errorf("today's: %v", err)
		}
		unpaid, _ := w.start(a)
		one, two := w.paidTrade(a), w.paidTrade(a)
		one.Refund.Amount = money.New(234, "CNY")
		w.refund(a, one)
		w.refundHeard(a, one, channel.StateRefunded)
		w.treat(a, "call", "refund_fail")
		failed := two
		failed.Refund.Number = freshNumber()
		if _, err := a.Refund(t.Context(), failed); err == nil {
			w.hears()
		}
		w.treat(a, "call", "normal")
		w.clock.advance(24 * time.Hour)
		two.Refund.Amount = money.New(1000, "CNY")
		w.refund(a, two)
		w.refundHeard(a, two, channel.StateRefunded)
		w.clock.advance(24 * time.Hour)

		lines := w.statement(a, first, 3)
		w.states(a, lines, one.Payment.Number, "", channel.StatePaid, 1234)
		w.states(a, lines, two.Payment.Number, "", channel.StatePaid, 1234)
		w.states(a, lines, one.Payment.Number, one.Refund.Number, channel.StateRefunded, 234)
		lines = w.statement(a, first.Next(1), 1)
		w.states(a, lines, two.Payment.Number, two.Refund.Number, channel.StateRefunded, 1000)
		w.statement(a, first.Next(-1), 0)
		for _, line := range lines {
			if line.Number == unpaid {
				t.Errorf("unpaid, and in the statement: %+v", line)
			}
		}
		w.treat(a, "call", "bad_signature")
		if _, err := a.Statement(t.Context(), first); !errors.Is(err, channel.ErrUnknown) {
			t.Errorf("not the provider's: %v", err)
		}
		w.treat(a, "call", "error500")
		if _, err := a.Statement(t.Context(), first); !errors.Is(err, channel.ErrUnknown) || strings.Contains(err.Error(), "http") {
			t.Errorf("broken: %v", err)
		}
	})
}

// Alipay's bill quotes nothing: commas that people write into subjects and reasons, ours and those of another shop on the same account, part
// no line into what it is not.
func TestStatementWithCommas(t *testing.T) {
	eachOf(t, []models.PaymentChannel{models.ChannelAlipay}, func(t *testing.T, w *world, a channel.Adapter) {
		toNoon(w, a)
		r := w.request(a)
		r.Subject = "服务器, 一年, 1.00,2.00,"
		page, _ := w.begin(a, r)
		w.mustPlay(page, "outcome=succeed")
		w.hears()
		back := channel.RefundRequest{Payment: w.ref(r.Number), Refund: channel.Ref{Number: freshNumber(), Amount: money.New(234, "CNY")}, Reason: "slow, broken, late"}
		w.refund(a, back)
		w.refundHeard(a, back, channel.StateRefunded)
		day := channel.DayOf(a, w.clock.Now())
		w.clock.advance(24 * time.Hour)
		for _, by := range []string{"us", "another shop"} {
			lines := w.statement(a, day, 2)
			w.states(a, lines, r.Number, "", channel.StatePaid, 1234)
			w.states(a, lines, r.Number, back.Refund.Number, channel.StateRefunded, 234)
			if had := strings.Count(lines[0].Raw, ",") > 24; had != (by != "us") {
				t.Errorf("%s: %s", by, lines[0].Raw)
			}
			for _, q := range []string{"UPDATE sandbox_trades SET subject = 'a,b,c' WHERE number = ?", "UPDATE sandbox_refunds SET reason = 'x, y,z' WHERE number = ?"} {
				if _, err := w.home.DB.Exec(t.Context(), q, r.Number); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// QR codes are sold under one of two products, as the merchant has signed up for; what he has not signed up for is no refusal of the payer.
func TestAlipaysProductOfCodes(t *testing.T) {
	eachOf(t, []models.PaymentChannel{models.ChannelAlipay}, func(t *testing.T, w *world, a channel.Adapter) {
		k := w.creds().Alipay
		for product, want := range map[string]error{"": nil, "FACE_TO_FACE_PAYMENT": nil, "QR_CODE_OFFLINE": nil, "QUICK_WAP_WAY": channel.ErrUnavailable} {
			of, err := alipay.New(alipay.Config{BaseURL: w.url + sandbox.AlipayPath, AppID: k.AppID, SellerID: k.SellerID, PrivateKey: k.PrivateKey, AlipayPublicKey: k.AlipayPublicKey, QRProduct: product, Mode: guard.Sandbox})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := of.Start(t.Context(), w.request(a)); !errors.Is(err, want) {
				t.Errorf("%q: %v", product, err)
			}
		}
	})
}

// toNoon moves the product's clock to noon of the channel's next day, so that a test has a whole day before it.
func toNoon(w *world, a channel.Adapter) {
	now := w.clock.Now()
	_, end := a.StatementDay(channel.DayOf(a, now))
	w.clock.advance(end.Add(12 * time.Hour).Sub(now))
}

// statement is a day's, of so many lines; asking twice gives the same file.
func (w *world) statement(a channel.Adapter, day channel.Day, lines int) []channel.Line {
	w.t.Helper()
	s, err := a.Statement(w.t.Context(), day)
	again, err2 := a.Statement(w.t.Context(), day)
	if err != nil || err2 != nil || s.Day != day || len(s.Lines) != lines || again.Hash != s.Hash || (lines > 0 && len(s.Hash) != 64) {
		w.t.Fatalf("statement of %s: %+v %v, again %s %v", day, s, err, again.Hash, err2)
	}
	from, to := a.StatementDay(day)
	for _, l := range s.Lines {
		if l.At.Before(from) || !l.At.Before(to) || l.Raw == "" || len(l.Reference) < 20 || l.Fee != money.New(0, "CNY") {
			w.t.Errorf("%s: %+v", day, l)
		}
	}
	return s.Lines
}

// states wants one line of a payment, or of its refund.
func (w *world) states(a channel.Adapter, lines []channel.Line, number, refund string, state channel.State, minor int64) {
	w.t.Helper()
	n := 0
	for _, l := range lines {
		if l.Number != number || l.RefundNumber != refund {
			continue
		}
		n++
		if l.State != state || l.Amount != money.New(minor, "CNY") {
			w.t.Errorf("%+v, not %s %d", l, state, minor)
		}
		if e := w.query(a, number); refund == "" && l.Reference != e.Reference {
			w.t.Errorf("reference %s, and the provider says %s", l.Reference, e.Reference)
		}
	}
	if n != 1 {
		w.t.Errorf("%s %s: %d lines", number, refund, n)
	}
}
