package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// How a connection to a mail server is encrypted.
const (
	StartTLS = "starttls" // wanted: without it nothing is sent (RFC 3207)
	TLS      = "tls"      // from the start (RFC 8314)
	NoTLS    = "none"     // a relay on the same machine
)

// MailConfig says which server takes e-mails. Address is host:port, From an address with or without a name.
type MailConfig struct {
	Address, TLS, User, Password, From string
	Timeout                            time.Duration
	// Trust replaces the machine's trusted authorities, the server's name excepted; nil: the machine's.
	Trust *tls.Config
}

// Mail sends e-mails by SMTP (RFC 5321), one connection each. Safe for concurrent use.
type Mail struct {
	c    MailConfig
	host string
	port int
	from *netmail.Address
}

// NewMail checks the configuration; it connects to nobody.
func NewMail(c MailConfig) (*Mail, error) {
	host, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, err
	}
	m := &Mail{c: c, host: host}
	if m.port, err = strconv.Atoi(port); err != nil {
		return nil, err
	}
	m.from, err = netmail.ParseAddress(c.From)
	return m, err
}

// Send hands an e-mail to the server. A permanent refusal (5xx) of the recipient or the text is final; all else is worth another try.
func (m *Mail) Send(ctx context.Context, message Message) error {
	ctx, cancel := context.WithTimeout(ctx, m.c.Timeout)
	defer cancel()
	letter, err := m.letter(message)
	if err != nil { // its address: not even the mail library takes it
		return &Failure{Reason: "the e-mail cannot be written", Final: true}
	}
	line := &line{m: m, ctx: ctx, close: func() {}}
	defer func() { line.close() }()
	client, err := mail.NewClient(m.host, line.options()...)
	if err != nil {
		return &Failure{Reason: "the mail server's configuration does not fit"}
	}
	at := "connecting"
	server, err := client.DialToSMTPClientWithContext(ctx)
	if err == nil {
		at = "sending"
		err = client.SendWithSMTPClient(server, letter)
	}
	if err != nil {
		return refused(ctx, at, err)
	}
	_ = client.CloseWithSMTPClient(server) // the server has it; a goodbye that fails changes nothing
	return nil
}

func (m *Mail) letter(message Message) (*mail.Msg, error) {
	letter := mail.NewMsg()
	letter.FromMailAddress(m.from)
	if err := letter.To(message.To); err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(m.from.Address, "@")
	letter.Subject(message.Subject)
	letter.SetMessageIDWithValue(message.ID + "@" + domain)
	letter.SetDateWithValue(message.At)
	letter.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	letter.SetBodyString(mail.TypeTextPlain, message.Body)
	return letter, nil
}

// refused says what went wrong without the server's own words: they repeat the recipient. 5xx at the greeting, at signing in and to the
// sender is our configuration's fault and not the message's, so it is tried again.
func refused(ctx context.Context, at string, err error) error {
	var e *mail.SendError
	if errors.As(err, &e) && e.ErrorCode() != 0 {
		return &Failure{Reason: fmt.Sprintf("%s: the mail server answered %d %s", e.Reason, e.ErrorCode(), e.EnhancedStatusCode()),
			Final: e.ErrorCode() >= 500 && e.Reason != mail.ErrSMTPMailFrom}
	}
	var network net.Error
	switch {
	case errors.As(err, &network) && network.Timeout(), ctx.Err() != nil:
		return &Failure{Reason: at + ": the mail server did not answer in time"}
	case at == "connecting":
		return &Failure{Reason: "connecting: the mail server is not there, or takes neither our encryption nor our name and password"}
	}
	return &Failure{Reason: at + ": the connection to the mail server broke"}
}

// line is one connection. It is ours to close: the library leaves it open where a greeting fails, and does not heed the context once it
// has it.
type line struct {
	m     *Mail
	ctx   context.Context
	close func()
}

func (l *line) dial(ctx context.Context, network, address string) (conn net.Conn, err error) {
	d := &net.Dialer{}
	if l.m.c.TLS == TLS {
		conn, err = (&tls.Dialer{NetDialer: d, Config: l.m.tls()}).DialContext(ctx, network, address)
	} else {
		conn, err = d.DialContext(ctx, network, address)
	}
	if err == nil {
		end := func() { _ = conn.Close() }
		stop := context.AfterFunc(l.ctx, end)
		l.close = func() { stop(); end() }
	}
	return conn, err
}

func (m *Mail) tls() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if m.c.Trust != nil {
		c = m.c.Trust.Clone()
	}
	c.ServerName = m.host
	return c
}

func (l *line) options() []mail.Option {
	m := l.m
	policy := mail.NoTLS
	if m.c.TLS == StartTLS {
		policy = mail.TLSMandatory
	}
	options := []mail.Option{mail.WithPort(m.port), mail.WithTimeout(m.c.Timeout), mail.WithTLSPolicy(policy), mail.WithTLSConfig(m.tls()), mail.WithDialContextFunc(l.dial),
		mail.WithoutNoop(), mail.WithoutRset()} // one message on a connection: a reset that fails after it would send it twice
	if m.c.User != "" {
		// PLAIN and LOGIN refuse to work without encryption, unless the server is this machine.
		options = append(options, mail.WithUsername(m.c.User), mail.WithPassword(m.c.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin, mail.SMTPAuthCramMD5))
	}
	return options
}
