package webhook_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paydesk/internal/billing/payment"
	"paydesk/internal/channel"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

func (d *desk) rows(verdicts ...string) []models.InboxRow {
	d.Helper()
	list, err := d.inbox.List(d.Context(), nil, verdicts, nil, page.First(100))
	if err != nil {
		d.Fatal(err)
	}
	return list.Items
}

// What is refused is kept as evidence: cut, once for a body, without what is nobody's evidence, and never so much that a stranger fills
// the database with it.
func TestRefusedIsEvidence(t *testing.T) {
	each(t, func(d *desk) {
		long := "forged " + strings.Repeat("x", 20<<10)
		for range 2 {
			if code := d.send(long, "Wechatpay-Signature", "s", "Stripe-Signature", "t=1,v1=2", "Paypal-Transmission-Sig", strings.Repeat("p", 5000), "Cookie", "mine", "Authorization", "Bearer mine", "Content-Type", "text/plain"); code != 400 {
				t.Error("answered", code)
			}
		}
		rows := d.rows()
		if len(rows) != 1 {
			t.Fatalf("%d rows", len(rows))
		}
		r := rows[0]
		if r.Verdict != "REFUSED" || r.Number != "" || string(r.Body) != long[:16<<10] || r.NextAt != nil || r.Attempts != 0 || !r.ReceivedAt.Equal(d.now) {
			t.Errorf("%+v", r)
		}
		if want := `{"content-type":"text/plain","paypal-transmission-sig":"` + strings.Repeat("p", 2<<10) + `","stripe-signature":"t=1,v1=2","wechatpay-signature":"s"}`; r.Headers != want {
			t.Errorf("headers %s", r.Headers)
		}
		if code := d.send(strings.Repeat("x", 300<<10)); code != 400 || len(d.rows()) != 2 {
			t.Errorf("too large: %d, %d rows", code, len(d.rows()))
		}
		for n := range 100 {
			d.send(fmt.Sprint("forged ", n))
		}
		if n := len(d.rows("REFUSED")); n != 60 {
			t.Errorf("%d are kept within an hour", n)
		}
		if d.post("n1 A"); d.verdict("A") != "APPLIED" {
			t.Error("what is verified is not stored any more")
		}
		d.sweepAfter(61 * time.Minute)
		if d.send("forged later"); len(d.rows("REFUSED")) != 61 || len(d.applied) != 1 {
			t.Errorf("an hour later: %d kept, %v applied", len(d.rows("REFUSED")), d.applied)
		}
	})
}

// A body that was refused and is right the next time, for its signature is, is taken all the same; one that cannot be judged now is asked
// for again; nothing but POST is a notification.
func TestWhatIsNotRefused(t *testing.T) {
	each(t, func(d *desk) {
		if code := d.send("away A"); code != http.StatusServiceUnavailable || len(d.rows()) != 0 {
			t.Error("a notification that could not be judged:", code, d.rows())
		}
		forged := d.inbox.Channels[models.ChannelAlipay]
		d.inbox.Channels[models.ChannelAlipay] = refusing{paper{}}
		d.send("n1 A")
		d.inbox.Channels[models.ChannelAlipay] = forged
		if d.post("n1 A"); d.verdict("A") != "APPLIED" {
			t.Error("refused for ever")
		}
		for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodHead} {
			w := httptest.NewRecorder()
			d.inbox.Serve(w, httptest.NewRequest(method, "/", strings.NewReader("n2 B")), models.ChannelAlipay)
			if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != http.MethodPost {
				t.Error(method, w.Code, w.Header())
			}
		}
	})
}

type refusing struct{ paper }

func (refusing) ParseNotification(context.Context, channel.Notification) (channel.Event, error) {
	return channel.Event{}, channel.ErrForged
}

// Refused ones go after a month, the others after half a year; what is still to be applied stays.
func TestRetention(t *testing.T) {
	each(t, func(d *desk) {
		clean := func(pause time.Duration, want int) {
			t.Helper()
			d.now = d.now.Add(pause)
			if n, err := d.inbox.Clean(d.Context(), 10); err != nil || n != want {
				t.Errorf("%d deleted, not %d: %v", n, want, err)
			}
		}
		const day = 24 * time.Hour
		d.send("forged A")
		d.post("n1 A")
		d.answer = func(channel.Event) (payment.Verdict, error) { return payment.UnknownReference, nil }
		d.post("n2 B")
		clean(29*day, 0)
		clean(2*day, 1)
		clean(148*day, 0)
		clean(2*day, 1)
		if rows := d.rows(); len(rows) != 1 || rows[0].Number != "B" {
			t.Errorf("left: %+v", rows)
		}
	})
}

// The operator's list: newest first, by pages from both ends, narrowed.
func TestList(t *testing.T) {
	each(t, func(d *desk) {
		for n := range 5 {
			d.now = d.now.Add(time.Second)
			d.post(fmt.Sprintf("n%d %d", n, n))
		}
		d.send("forged A")
		read := func(verdicts []string, number *string, p page.Page) (got string, r page.Result[models.InboxRow]) {
			t.Helper()
			r, err := d.inbox.List(d.Context(), []models.PaymentChannel{models.ChannelAlipay}, verdicts, number, p)
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range r.Items {
				got += row.Number + " "
			}
			return got, r
		}
		applied := []string{"APPLIED"}
		got, first := read(applied, nil, page.First(2))
		if got != "4 3 " || !first.HasNext {
			t.Error(got)
		}
		after, err := page.ParseCursor(first.Cursor(first.Items[1]))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ = read(applied, nil, page.Page{Size: 9, After: &after}); got != "2 1 0 " {
			t.Error(got)
		}
		if got, _ = read(nil, nil, page.Page{Size: 2, Backward: true}); got != "1 0 " {
			t.Error(got)
		}
		three, none := "3", ""
		if got, _ = read(nil, &three, page.First(9)); got != "3 " {
			t.Error(got)
		}
		if got, first = read(nil, &none, page.First(9)); len(first.Items) != 1 || first.Items[0].Verdict != "REFUSED" {
			t.Error(got)
		}
		if n, err := d.inbox.Count(d.Context(), nil, []string{"APPLIED", "REFUSED"}, nil); err != nil || n != 6 {
			t.Error(n, err)
		}
		if rows, err := d.inbox.ByIDs(d.Context(), []models.ID{first.Items[0].ID, models.NewID()}); err != nil || len(rows) != 1 {
			t.Error(rows, err)
		}
	})
}
