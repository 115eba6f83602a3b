package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/notify"
	"paydesk/models"
)

// text is an e-mail's text as a reader sees it.
func (l letter) text(t *testing.T) (subject, body string) {
	t.Helper()
	subject, err := new(mime.WordDecoder).DecodeHeader(l.message.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	if l.message.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		raw, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(l.body)))
		if err != nil {
			t.Fatal(err)
		}
		return subject, string(raw)
	}
	return subject, l.body
}

// HW-36: what is written in a transaction reaches telephone and e-mail, once.
func TestDelivered(t *testing.T) {
	each(t, func(e *env) {
		e.tell(asIs)
		back := errors.New("rolled back")
		err := e.home.DB.InTx(e.Context(), func(ctx context.Context) error {
			return errors.Join(e.Tell(ctx, notify.Letter{Account: e.account, Key: "letter.late_payment", At: e.clock.Now()}), back)
		})
		if !errors.Is(err, back) {
			e.Fatal(err)
		}
		if n := e.sweep(); n != 2 {
			e.Fatalf("%d were tried, want an SMS and an e-mail", n)
		}
		if n := e.sweep(); n != 0 {
			e.Errorf("%d more are tried", n)
		}
		letters, posts := e.office.taken(), e.gateway.taken()
		if len(letters) != 1 || len(posts) != 1 {
			e.Fatalf("%d letters, %d posts", len(letters), len(posts))
		}
		l := letters[0]
		subject, body := l.text(e.T)
		if !l.encrypted || !strings.HasPrefix(l.to, "TO:<lin@example.com>") || !strings.HasPrefix(l.from, "FROM:<billing@paydesk.example>") || subject != "您支付的 ¥12.00 已存入余额" || !strings.Contains(body, "P1") {
			e.Errorf("%+v %q %q", l, subject, body)
		}
		for header, want := range map[string]string{"Auto-Submitted": "auto-generated", "Date": "Sat, 21 Nov 2026 10:00:00 +0000", "Content-Type": "text/plain; charset=UTF-8", "To": "<lin@example.com>"} {
			if got := l.message.Header.Get(header); got != want {
				e.Errorf("%s: %q, want %q", header, got, want)
			}
		}
		if id := l.message.Header.Get("Message-ID"); !strings.HasSuffix(id, "@paydesk.example>") || len(id) < 30 {
			e.Error(id)
		}
		p := posts[0]
		var m struct{ ID, To, Text, At string }
		if err := json.Unmarshal(p.body, &m); err != nil || m.To != e.account.Phone || !strings.Contains(m.Text, "P1") || m.At != "2026-11-21T10:00:00Z" || m.ID == "" || m.ID != p.header.Get("Idempotency-Key") {
			e.Errorf("%s %v", p.body, p.header)
		}
		stamp := p.header.Get("X-Paydesk-Timestamp")
		if got := p.header.Get("X-Paydesk-Signature"); got != notify.Sign(hookSecret, stamp, p.body) || got == notify.Sign(hookSecret, stamp+"1", p.body) || got == notify.Sign("another", stamp, p.body) {
			e.Errorf("%s at %s", got, stamp)
		}
		if got := e.outcomes(); got != "map[EMAIL SENT:1 SMS SENT:1]" {
			e.Error(got)
		}
		e.discreet()
	})
}

// The signature as docs/notifications.md has it for whoever writes the other side; the figure is that of openssl dgst -sha256 -hmac.
func TestSign(t *testing.T) {
	const want = "sha256=b91c10c04b7189fbe9841d48ef6d50afbddd46bc84effe7676f5f35fa1fabc08"
	if got := notify.Sign("0123456789abcdef", "1795255200", []byte(`{"id":"1"}`)); got != want {
		t.Errorf("%s", got)
	}
}

// Where the ways are down a message waits longer each time, and arrives when they are back; another one is not kept waiting.
func TestTriedAgain(t *testing.T) {
	each(t, func(e *env) {
		e.office.set(func(p *postOffice) { p.rcpt = "451 4.3.0 lin@example.com has no room today" })
		e.gateway.answer(http.StatusServiceUnavailable)
		e.tell(asIs)
		e.clock.advance(3 * time.Second)
		e.lags(3 * time.Second)
		for _, pause := range []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second} {
			if n := e.sweep(); n != 2 {
				e.Fatalf("%d were tried", n)
			}
			e.clock.advance(pause - time.Microsecond)
			if n := e.sweep(); n != 0 {
				e.Fatalf("%d are tried before %v", n, pause)
			}
			e.lags(0)
			e.clock.advance(time.Microsecond)
		}
		e.office.set(func(p *postOffice) { p.rcpt = "" })
		e.gateway.answer(http.StatusOK)
		e.sweep()
		if n, m := len(e.office.taken()), len(e.gateway.taken()); n != 1 || m != 4 {
			e.Errorf("%d e-mails, %d posts", n, m)
		}
		for _, p := range e.gateway.taken() {
			if p.header.Get("Idempotency-Key") != e.gateway.taken()[0].header.Get("Idempotency-Key") {
				e.Error("a try has an id of its own")
			}
		}
		if got := e.outcomes(); got != "map[EMAIL LATER:3 EMAIL SENT:1 SMS LATER:3 SMS SENT:1]" {
			e.Error(got)
		}
		e.discreet()
	})
}

// What will never be taken is given up at once, what is not taken in twenty tries then.
func TestGivenUp(t *testing.T) {
	each(t, func(e *env) {
		e.office.set(func(p *postOffice) { p.rcpt = "550 5.1.1 lin@example.com lives here no more" })
		e.gateway.answer(http.StatusUnprocessableEntity)
		e.tell(asIs)
		e.sweep()
		e.clock.advance(100 * time.Hour)
		if n := e.sweep(); n != 0 || e.outcomes() != "map[EMAIL FAILED:1 SMS FAILED:1]" {
			e.Errorf("%d are tried again: %s", n, e.outcomes())
		}
		e.gateway.answer(http.StatusUnauthorized) // somebody may put the secret right
		e.tell(func(l *notify.Letter) { l.Only = notify.SMS })
		tries := 0
		for ; e.sweep() > 0; tries++ {
			e.clock.advance(time.Hour)
		}
		if tries != 20 {
			e.Errorf("%d tries, want 20", tries)
		}
		var ended, delivered int
		_, err := e.home.DB.QueryRow(e.Context(), []any{&ended, &delivered}, "SELECT COUNT(*), COUNT(delivered_at) FROM deliveries WHERE account_id = ? AND due_at IS NULL", e.account.ID)
		if err != nil || ended != 3 || delivered != 0 {
			e.Error(ended, delivered, err)
		}
		e.discreet()
	})
}

// crashing dies after the message was sent and before that was noted.
type crashing struct{ notify.Sender }

func (c crashing) Send(ctx context.Context, m notify.Message) error {
	if err := c.Sender.Send(ctx, m); err != nil {
		return err
	}
	panic("kill -9")
}

// At least once: after a crash it is sent again, under the same id, once its lease is over; until then nobody else sends it.
func TestCrashBetweenSendAndMark(t *testing.T) {
	each(t, func(e *env) {
		e.tell(func(l *notify.Letter) { l.Only = notify.SMS })
		dies := e.desk(nil, crashing{e.gateway.hook()})
		var all sync.WaitGroup
		all.Go(func() {
			defer func() { _ = recover() }()
			_ = dies.DeliverOne(e.Context())
		})
		all.Wait()
		e.clock.advance(2*time.Minute - time.Microsecond)
		if n := e.sweep(); n != 0 {
			e.Fatalf("%d are sent while the lease holds", n)
		}
		e.clock.advance(time.Microsecond)
		e.sweep()
		posts := e.gateway.taken()
		if len(posts) != 2 || posts[0].header.Get("Idempotency-Key") != posts[1].header.Get("Idempotency-Key") {
			e.Fatalf("%d posts", len(posts))
		}
		if n := e.sweep(); n != 0 || len(e.gateway.taken()) != 2 {
			e.Error("it is sent once more")
		}
	})
}

// Several instances at once send each message once.
func TestInstances(t *testing.T) {
	each(t, func(e *env) {
		for range 20 {
			e.tell(func(l *notify.Letter) { l.Only = notify.SMS })
		}
		var all sync.WaitGroup
		for range 4 {
			d := e.desk(nil, e.gateway.hook())
			all.Go(func() {
				if _, err := d.Sweep(e.Context(), notify.SMS, 100); err != nil {
					e.Error(err)
				}
			})
		}
		all.Wait()
		ids := map[string]int{}
		for _, p := range e.gateway.taken() {
			ids[p.header.Get("Idempotency-Key")]++
		}
		if len(ids) != 20 || len(e.gateway.taken()) != 20 {
			e.Errorf("%d messages in %d posts, want 20 in 20", len(ids), len(e.gateway.taken()))
		}
	})
}

// A mail server that has fallen silent, with more e-mails waiting than it has hands, keeps no SMS waiting; and a code, by whatever way, goes
// before what may arrive an hour later.
func TestSilentMailServer(t *testing.T) {
	each(t, func(e *env) {
		e.office.set(func(p *postOffice) { p.silent = true })
		for range 50 {
			e.tell(func(l *notify.Letter) { l.Only = notify.Email })
		}
		ctx, cancel := context.WithCancel(e.Context())
		config := e.office.config(notify.StartTLS)
		config.Timeout = time.Minute
		stuck := e.desk(sender(e.T, config), e.gateway.hook())
		var all sync.WaitGroup
		defer all.Wait()
		defer cancel()
		all.Go(func() { _, _ = stuck.Sweep(ctx, notify.Email, 40) })
		e.eventually("the mail server is asked", func() bool { return e.office.connected() > 0 })

		for range 20 {
			e.tell(func(l *notify.Letter) { l.Only = notify.SMS })
		}
		e.clock.advance(time.Second)
		e.tell(e.code)
		if n, err := stuck.Sweep(e.Context(), notify.SMS, 1); n != 1 || err != nil {
			e.Fatal(n, err)
		}
		if posts := e.gateway.taken(); len(posts) != 1 || !strings.Contains(string(posts[0].body), "042137") {
			e.Errorf("the first SMS of %d is %s", len(posts), posts)
		}
		if n, err := stuck.Sweep(e.Context(), notify.SMS, 100); n != 20 || err != nil {
			e.Error(n, err)
		}
		e.office.set(func(p *postOffice) { p.silent = false }) // another instance, and the server is back
		if n, err := e.Sweep(e.Context(), notify.Email, 1); n != 1 || err != nil {
			e.Fatal(n, err)
		}
		if letters := e.office.taken(); len(letters) != 1 {
			e.Error(len(letters))
		} else if _, body := letters[0].text(e.T); !strings.Contains(body, "042137") {
			e.Error(body)
		}
	})
}

// A code is sealed at rest, stands in what is sent, and is not sent when its time has passed.
func TestCodes(t *testing.T) {
	each(t, func(e *env) {
		e.tell(e.code)
		e.sweep()
		l := e.office.taken()[0]
		if subject, body := l.text(e.T); !strings.Contains(body, "042137") || strings.Contains(subject, "042137") {
			e.Error(subject, body)
		}
		if body := string(e.gateway.taken()[0].body); !strings.Contains(body, "042137") {
			e.Error(body)
		}
		all, err := e.Of(e.Context(), e.account.ID)
		if err != nil || len(all) != 2 || all[0].Code != "042137" || !strings.Contains(all[0].Body, "042137") {
			e.Errorf("%+v (%v)", all, err)
		}
		var kept string
		_, err = e.home.DB.QueryRow(e.Context(), []any{&kept}, "SELECT body FROM messages WHERE account_id = ? AND kind = 'SMS'", e.account.ID)
		if err != nil || strings.Contains(kept, "042137") || !strings.Contains(kept, "{code}") {
			e.Error(kept, err)
		}
		e.tell(e.code)
		e.clock.advance(10 * time.Minute)
		e.sweep()
		if e.outcomes() != "map[EMAIL SENT:1 EMAIL USELESS:1 SMS SENT:1 SMS USELESS:1]" || len(e.gateway.taken()) != 1 {
			e.Error(e.outcomes())
		}
		if err := notify.New(e.home.DB).Tell(e.Context(), notify.Letter{Account: e.account, Key: "letter.code", Code: "1"}); err == nil {
			e.Error("a code is kept without a seal")
		}
		e.discreet()
	})
}

// Without a way to send messages are kept, and nothing waits to be delivered; an account without an address is told nothing.
func TestKept(t *testing.T) {
	each(t, func(e *env) {
		kept := notify.New(e.home.DB)
		for i, a := range []models.Account{e.account, {ID: models.NewID(), Email: "a@example.com"}, {ID: models.NewID()}} {
			e.must(kept.Tell(e.Context(), notify.Letter{Account: a, Key: "letter.late_payment", At: e.clock.Now()}))
			if got, err := kept.Of(e.Context(), a.ID); err != nil || len(got) != 2-i {
				e.Errorf("%+v (%v)", got, err)
			}
		}
		if n := e.sweep(); n != 0 {
			e.Errorf("%d are delivered later", n)
		}
		if n, err := kept.Sweep(e.Context(), notify.SMS, 10); n != 0 || err != nil {
			e.Error(n, err)
		}
		if lag, err := kept.Lag(e.Context(), notify.SMS); lag != 0 || err != nil {
			e.Error(lag, err)
		}
		// In production what nobody sends reaches nobody; in development /dev/messages shows it.
		half := e.desk(nil, e.gateway.hook())
		if !kept.Reaches(e.account, notify.Email) || half.Reaches(e.account, notify.Email) || !half.Reaches(e.account, notify.SMS) || half.Reaches(models.Account{}, notify.SMS) {
			e.Error("who is reached")
		}
		// A way that was configured when the letter was written, and is not any more: it waits for it.
		e.tell(func(l *notify.Letter) { l.Only = notify.Email })
		if n, err := half.Sweep(e.Context(), notify.Email, 10); n != 1 || err != nil || e.outcomes() != "map[EMAIL LATER:1]" {
			e.Error(n, err, e.outcomes())
		}
	})
}

// A subject is one line and fits its column, whatever somebody put into it.
func TestSubjects(t *testing.T) {
	each(t, func(e *env) {
		e.tell(func(l *notify.Letter) {
			l.Only, l.Args["amount"] = notify.Email, "1\r\nBcc: everybody@example.com\r\n\r\n"+strings.Repeat("长", 300)
		})
		e.sweep()
		l := e.office.taken()[0]
		if subject, _ := l.text(e.T); len([]rune(subject)) != 200 || strings.ContainsAny(subject, "\r\n") || l.message.Header.Get("Bcc") != "" {
			e.Errorf("%q %v", subject, l.message.Header)
		}
	})
}
