package notify_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/notify"
	"paydesk/internal/platform/seal"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// postOffice is a small SMTP server on a TCP port that keeps what it is given.
type postOffice struct {
	address string
	cert    tls.Certificate
	trust   *tls.Config

	mu      sync.Mutex
	letters []letter
	mail    string // its answer to MAIL FROM; empty: yes
	rcpt    string // its answer to RCPT TO; empty: yes
	data    string // its answer to the text; empty: yes
	silent  bool   // it takes connections and says nothing
	drops   bool   // it hangs up after it took the text, before it says so
	goodbye bool   // it hangs up instead of answering QUIT
	auth    string // what it was signed in with
	secret  string // the password it wants; empty: it offers no AUTH
	refuses bool   // it offers no STARTTLS

	calls int  // connections it was asked on
	stops bool // it says nothing after the client's greeting

	greeted chan struct{} // one for each greeting of a client, as far as there is room
}

// letter is one that was taken.
type letter struct {
	from, to  string
	encrypted bool
	message   *mail.Message
	body      string
}

func newPostOffice(t *testing.T, implicit bool) *postOffice {
	t.Helper()
	p := &postOffice{greeted: make(chan struct{}, 100)}
	p.certificate(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = l.Addr().String()
	var open sync.Map
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(c, true)
			all.Go(func() {
				defer c.Close()
				if implicit {
					p.serve(tls.Server(c, &tls.Config{Certificates: []tls.Certificate{p.cert}}), true)
				} else {
					p.serve(c, false)
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		open.Range(func(c, _ any) bool { _ = c.(net.Conn).Close(); return true })
		all.Wait()
	})
	return p
}

func (p *postOffice) certificate(t *testing.T) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	own, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	p.cert = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	p.trust = &tls.Config{RootCAs: x509.NewCertPool()}
	p.trust.RootCAs.AddCert(own)
}

func (p *postOffice) serve(c net.Conn, encrypted bool) {
	p.mu.Lock()
	p.calls++
	silent, drops, goodbye, stops := p.silent, p.drops, p.goodbye, p.stops
	secret, refuses := p.secret, p.refuses
	p.mu.Unlock()
	lines := bufio.NewReader(c)
	say := func(text string) { _, _ = io.WriteString(c, text+"\r\n") }
	if silent {
		_, _ = io.Copy(io.Discard, c)
		return
	}
	say("220 post office")
	var l letter
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		switch strings.ToUpper(verb) {
		case "EHLO", "HELO":
			select {
			case p.greeted <- struct{}{}:
			default:
			}
			if stops {
				_, _ = io.Copy(io.Discard, c)
				return
			}
			greeting := []string{"post office", "8BITMIME"}
			if !encrypted && !refuses {
				greeting = append(greeting, "STARTTLS")
			}
			if secret != "" {
				greeting = append(greeting, "AUTH PLAIN LOGIN")
			}
			for i, g := range greeting {
				say("250" + map[bool]string{true: " ", false: "-"}[i == len(greeting)-1] + g)
			}
		case "STARTTLS":
			say("220 go on")
			secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{p.cert}})
			if secure.Handshake() != nil {
				return
			}
			c, lines, encrypted = secure, bufio.NewReader(secure), true
		case "AUTH":
			text, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(rest, "PLAIN "))
			if !strings.HasSuffix(string(text), "\x00"+secret) {
				say("535 5.7.8 not you, " + string(text))
				continue
			}
			p.mu.Lock()
			p.auth = string(text)
			p.mu.Unlock()
			say("235 welcome")
		case "MAIL":
			l = letter{from: rest, encrypted: encrypted}
			p.mu.Lock()
			answer := p.mail
			p.mu.Unlock()
			if answer == "" {
				answer = "250 ok"
			}
			say(answer)
		case "RCPT":
			l.to = rest
			p.mu.Lock()
			answer := p.rcpt
			p.mu.Unlock()
			if answer == "" {
				answer = "250 ok"
			}
			say(answer)
		case "DATA":
			say("354 go on")
			if !p.take(&l, lines) {
				return
			}
			if drops {
				return
			}
			p.mu.Lock()
			answer := p.data
			p.mu.Unlock()
			if answer == "" {
				answer = "250 taken"
			}
			say(answer)
		case "QUIT":
			if !goodbye {
				say("221 bye")
			}
			return
		default:
			say("250 ok")
		}
	}
}

// take reads a text until its full stop and keeps it, unless it is going to be refused.
func (p *postOffice) take(l *letter, lines *bufio.Reader) bool {
	var text bytes.Buffer
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	m, err := mail.ReadMessage(&text)
	if err != nil {
		return false
	}
	l.message = m
	raw, _ := io.ReadAll(m.Body)
	l.body = string(raw)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.data == "" {
		p.letters = append(p.letters, *l)
	}
	return true
}

func (p *postOffice) taken() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letter{}, p.letters...)
}

func (p *postOffice) connected() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.calls
}

func (p *postOffice) set(change func(*postOffice)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
}

func (p *postOffice) config(how string) notify.MailConfig {
	return notify.MailConfig{Address: p.address, TLS: how, From: "Billing 账单 <billing@paydesk.example>", Timeout: 2 * time.Second, Trust: p.trust}
}

func sender(t *testing.T, c notify.MailConfig) *notify.Mail {
	t.Helper()
	m, err := notify.NewMail(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// gateway is an SMS webhook that keeps what it is given.
type gateway struct {
	*httptest.Server
	mu     sync.Mutex
	posts  []post
	status int
	hang   chan struct{} // where set, answers wait for it
}

type post struct {
	header http.Header
	body   []byte
}

func newGateway(t *testing.T) *gateway {
	g := &gateway{status: http.StatusAccepted}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		g.mu.Lock()
		g.posts = append(g.posts, post{r.Header.Clone(), body})
		status, hang := g.status, g.hang
		g.mu.Unlock()
		if hang != nil {
			<-hang
		}
		if status/100 == 3 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, "said of %s", body)
	}))
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) taken() []post {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]post{}, g.posts...)
}

func (g *gateway) answer(status int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.status = status
}

const hookSecret = "a secret of twenty-eight ch."

func (g *gateway) hook() *notify.Hook {
	return notify.NewHook(notify.HookConfig{URL: g.URL + "/sms?token=t0ken", Secret: hookSecret, Timeout: 2 * time.Second})
}

// standing is a clock that stands until it is moved.
type standing struct {
	mu  sync.Mutex
	now time.Time
}

func (c *standing) Now() time.Time          { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *standing) advance(d time.Duration) { c.mu.Lock(); defer c.mu.Unlock(); c.now = c.now.Add(d) }

// env is a desk on one of the homes that sends by both ways.
type env struct {
	*notify.Desk
	*testing.T
	home    testenv.Home
	clock   *standing
	log     *lockedLog
	office  *postOffice
	gateway *gateway
	account models.Account
	mu      sync.Mutex
	told    map[string]int
}

// lockedLog is a log that may be read while it is written.
type lockedLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}
func (l *lockedLog) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

func each(t *testing.T, test func(e *env)) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		e := &env{T: t, home: home, clock: &standing{now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}, log: &lockedLog{}, office: newPostOffice(t, false), gateway: newGateway(t),
			account: models.Account{ID: models.NewID(), Phone: "+86 138 0013 8001", Email: "lin@example.com"}, told: map[string]int{}}
		e.Desk = e.desk(sender(t, e.office.config(notify.StartTLS)), e.gateway.hook())
		test(e)
	})
}

// desk is another instance on the same home.
func (e *env) desk(mail, sms notify.Sender) *notify.Desk {
	box, err := seal.Load(e.Context(), e.home.DB, "")
	e.must(err)
	return notify.Open(notify.Config{DB: e.home.DB, Clock: e.clock, Log: slog.New(slog.NewTextHandler(e.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Seal: box, Mail: mail, SMS: sms,
		Told: func(kind, outcome string) {
			e.mu.Lock()
			defer e.mu.Unlock()
			e.told[kind+" "+outcome]++
		}})
}

func (e *env) must(err error) {
	e.Helper()
	if err != nil {
		e.Fatal(err)
	}
}

// tell writes a letter in a transaction.
func (e *env) tell(change func(*notify.Letter)) {
	e.Helper()
	l := notify.Letter{Account: e.account, Locale: "zh-Hans", Key: "letter.late_payment", Args: map[string]any{"amount": "¥12.00", "number": "P1", "channel": models.ChannelAlipay}, At: e.clock.Now()}
	change(&l)
	e.must(e.home.DB.InTx(e.Context(), func(ctx context.Context) error { return e.Tell(ctx, l) }))
}

func asIs(*notify.Letter) {}

// code makes it a letter with a code, good for ten minutes.
func (e *env) code(l *notify.Letter) {
	l.Key, l.Args, l.Code, l.Until = "letter.code", map[string]any{"case": "SETTINGS", "minutes": 10}, "042137", e.clock.Now().Add(10*time.Minute)
}

// eventually waits for what another goroutine does.
func (e *env) eventually(what string, there func() bool) {
	e.Helper()
	for deadline := time.Now().Add(20 * time.Second); !there(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.Fatal("not in time: ", what)
		}
	}
}

func (e *env) sweep() (n int) {
	e.Helper()
	for _, kind := range []string{notify.SMS, notify.Email} {
		tried, err := e.Sweep(e.Context(), kind, 100)
		e.must(err)
		n += tried
	}
	return n
}

// lags wants both kinds to have waited as long.
func (e *env) lags(want time.Duration) {
	e.Helper()
	for _, kind := range []string{notify.SMS, notify.Email} {
		if lag, err := e.Lag(e.Context(), kind); err != nil || lag != want {
			e.Errorf("%s: %v (%v), want %v", kind, lag, err, want)
		}
	}
}

func (e *env) outcomes() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return fmt.Sprint(e.told)
}

// discreet: nothing of the customer and no secret is in the log.
func (e *env) discreet() {
	e.Helper()
	for _, secret := range []string{"lin@example.com", "138 0013", "8613800138001", "t0ken", hookSecret, "P1", "12.00"} {
		if strings.Contains(e.log.String(), secret) {
			e.Errorf("the log shows %q:\n%s", secret, e.log)
		}
	}
}
