package notify_test

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/notify"
)

var message = notify.Message{ID: "01jd8x7c9kfq2a5v3m4n6p8r0s", Kind: notify.Email, To: "lin@example.com", Subject: "s", Body: "b", At: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}

// How mail goes: encrypted or not at all, signed in where a name is configured, and once where the server says that it has it.
func TestMail(t *testing.T) {
	for _, c := range []struct {
		name     string
		implicit bool
		how      string
		office   func(*postOffice)
		config   func(*notify.MailConfig)
		taken    int
		failed   bool
		final    bool
	}{
		{name: "starttls", how: notify.StartTLS, taken: 1},
		{name: "tls from the start", implicit: true, how: notify.TLS, taken: 1},
		{name: "none", how: notify.NoTLS, taken: 1},
		{name: "none wanted, none there", how: notify.NoTLS, office: func(p *postOffice) { p.refuses = true }, taken: 1},
		{name: "starttls wanted, none there", how: notify.StartTLS, office: func(p *postOffice) { p.refuses = true }, failed: true},
		{name: "a certificate of somebody", how: notify.StartTLS, config: func(c *notify.MailConfig) { c.Trust = nil }, failed: true},
		{name: "a certificate of somebody, from the start", implicit: true, how: notify.TLS, config: func(c *notify.MailConfig) { c.Trust = nil }, failed: true},
		{name: "signed in", how: notify.StartTLS, office: func(p *postOffice) { p.secret = "pass word" }, config: func(c *notify.MailConfig) { c.User, c.Password = "desk", "pass word" }, taken: 1},
		{name: "signed in, tls from the start", implicit: true, how: notify.TLS, office: func(p *postOffice) { p.secret = "pw" }, config: func(c *notify.MailConfig) { c.User, c.Password = "desk", "pw" }, taken: 1},
		{name: "a wrong password", how: notify.StartTLS, office: func(p *postOffice) { p.secret = "pw" }, config: func(c *notify.MailConfig) { c.User, c.Password = "desk", "s3cret" }, failed: true},
		{name: "it takes no names", how: notify.StartTLS, config: func(c *notify.MailConfig) { c.User, c.Password = "desk", "s3cret" }, failed: true},
		{name: "it says goodbye without a word", how: notify.StartTLS, office: func(p *postOffice) { p.goodbye = true }, taken: 1},
		{name: "it hangs up after the text", how: notify.StartTLS, office: func(p *postOffice) { p.drops = true }, taken: 1, failed: true},
		{name: "it wants it later", how: notify.StartTLS, office: func(p *postOffice) { p.data = "452 4.2.2 lin@example.com: full" }, failed: true},
		{name: "it wants it never", how: notify.StartTLS, office: func(p *postOffice) { p.data = "554 5.6.0 not this" }, failed: true, final: true},
		{name: "nobody lives there", how: notify.StartTLS, office: func(p *postOffice) { p.rcpt = "550 5.1.1 lin@example.com: nobody" }, failed: true, final: true},
		{name: "it takes nothing from us", how: notify.StartTLS, office: func(p *postOffice) { p.mail = "550 5.7.1 billing@paydesk.example: not yours" }, failed: true},
		{name: "it says nothing", how: notify.StartTLS, office: func(p *postOffice) { p.silent = true }, config: func(c *notify.MailConfig) { c.Timeout = 100 * time.Millisecond }, failed: true},
		{name: "it says nothing, tls", implicit: true, how: notify.TLS, office: func(p *postOffice) { p.silent = true }, config: func(c *notify.MailConfig) { c.Timeout = 300 * time.Millisecond }, failed: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			office := newPostOffice(t, c.implicit)
			config := office.config(c.how)
			if c.office != nil {
				office.set(c.office)
			}
			if c.config != nil {
				c.config(&config)
			}
			begin := time.Now()
			err := sender(t, config).Send(t.Context(), message)
			var failure *notify.Failure
			if (err != nil) != c.failed || errors.As(err, &failure) != c.failed || c.failed && failure.Final != c.final {
				t.Errorf("%+v", err)
			}
			if n := len(office.taken()); n != c.taken {
				t.Errorf("%d letters were taken", n)
			}
			if took := time.Since(begin); took > 3*config.Timeout {
				t.Errorf("it took %v", took)
			}
			if err != nil && (strings.Contains(err.Error(), "@") || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("the reason is not fit for a log: %v", err)
			}
			if office.taken() != nil && c.taken == 1 && office.taken()[0].encrypted != (c.how != notify.NoTLS) {
				t.Error("encrypted the wrong way")
			}
			if strings.HasPrefix(c.name, "signed in") && office.auth != "\x00desk\x00"+config.Password {
				t.Errorf("signed in with %q", office.auth)
			}
		})
	}
}

// A process that ends waits for nobody.
func TestMailEndsWithItsContext(t *testing.T) {
	office := newPostOffice(t, false)
	office.set(func(p *postOffice) { p.stops = true })
	ctx, cancel := context.WithCancel(t.Context())
	config := office.config(notify.StartTLS)
	config.Timeout = time.Minute
	done := make(chan error)
	go func() { done <- sender(t, config).Send(ctx, message) }()
	<-office.greeted
	cancel()
	select {
	case err := <-done:
		if err == nil {
			t.Error("it was sent")
		}
	case <-time.After(10 * time.Second):
		t.Error("it still waits")
	}
}

func TestMailConfig(t *testing.T) {
	for _, c := range []notify.MailConfig{{Address: "nowhere", From: "a@example.com"}, {Address: "h:smtp", From: "a@example.com"}, {Address: "h:25", From: "nobody"}} {
		if _, err := notify.NewMail(c); err == nil {
			t.Errorf("%+v", c)
		}
	}
	m := sender(t, notify.MailConfig{Address: "127.0.0.1:1", From: "a@example.com", Timeout: time.Second, Trust: &tls.Config{}})
	bad := message
	bad.To = "nobody\r\nBcc: x@example.com"
	var failure *notify.Failure
	if err := m.Send(t.Context(), bad); !errors.As(err, &failure) || !failure.Final {
		t.Error(err)
	}
}

// What an SMS webhook answers, and what becomes of it.
func TestHook(t *testing.T) {
	g := newGateway(t)
	sms := message
	sms.Kind, sms.To = notify.SMS, "13812345678"
	for status, want := range map[int]string{200: "", 202: "", 204: "", 301: "later", 307: "later", 400: "final", 401: "later", 403: "later", 404: "later", 408: "later", 413: "final", 422: "final", 425: "later",
		429: "later", 500: "later", 503: "later"} {
		g.answer(status)
		before := len(g.taken())
		err := g.hook().Send(t.Context(), sms)
		var failure *notify.Failure
		got := ""
		if errors.As(err, &failure) {
			got = map[bool]string{true: "final", false: "later"}[failure.Final]
		}
		if got != want || (err == nil) != (want == "") || len(g.taken()) != before+1 {
			t.Errorf("%d: %v, %d posts", status, err, len(g.taken())-before)
		}
		if err != nil && strings.ContainsAny(err.Error(), "@/?=") {
			t.Errorf("the reason is not fit for a log: %v", err)
		}
	}
	hang := make(chan struct{})
	g.mu.Lock()
	g.hang = hang
	g.mu.Unlock()
	quick := notify.NewHook(notify.HookConfig{URL: g.URL, Secret: hookSecret, Timeout: 50 * time.Millisecond})
	err := quick.Send(t.Context(), sms)
	close(hang)
	if err == nil || !strings.Contains(err.Error(), "in time") {
		t.Error(err)
	}
	g.Close()
	var failure *notify.Failure
	if err := g.hook().Send(t.Context(), sms); !errors.As(err, &failure) || failure.Final || strings.Contains(err.Error(), "t0ken") {
		t.Error(err)
	}
}
