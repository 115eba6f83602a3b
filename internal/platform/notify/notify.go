// Package notify tells customers by SMS and e-mail what happened to their money (HW-36): a message is written in the transaction of
// what it tells, and beside it that it has to be delivered; a sweep delivers (deliver.go) by SMTP (mail.go) and by an HTTP webhook
// (sms.go). Where no way is configured messages are kept and nothing more; in development they are read at /dev/messages (contract §6).
package notify

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"maps"
	"strings"
	"time"

	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/messages"
	"paydesk/internal/platform/seal"
	"paydesk/models"
)

// Kinds of message.
const (
	SMS   = "SMS"
	Email = "EMAIL"
)

// Message is one that was or will be sent. ID is the same however often it is sent.
type Message struct {
	ID                      string
	Kind, To, Subject, Body string
	Code                    string // the verification code in it, if any
	At                      time.Time
}

// Letter is what an account is told. Key names two texts of the catalogue, key.subject and key.body; an SMS has the body alone,
// and of each text among Args at most 70 characters.
type Letter struct {
	Account models.Account
	Locale  string
	Key     string
	Args    map[string]any
	At      time.Time
	// Code is a verification code, {code} in the texts. It is sealed in the database.
	Code string
	// Only is the one kind to send; empty: each kind that the account has an address for.
	Only string
	// Until is when it is of no use any more and is sent no longer; zero: never.
	Until time.Time
}

// Config is what a Desk is made of; DB is needed, and where anything is to be delivered Clock and Log.
type Config struct {
	DB    *database.DB
	Clock clock.Clock
	Log   *slog.Logger
	Seal  *seal.Box // for letters with a code
	Mail  Sender    // nil: e-mails are kept and not sent
	SMS   Sender    // nil: the same for SMS
	// Development: what nobody sends reaches the person all the same, at /dev/messages.
	Development bool
	// Told is told what became of a try to deliver: SENT, LATER, FAILED, USELESS. It may be nil.
	Told func(kind, outcome string)
}

// Desk writes messages and delivers them. Safe for concurrent use.
type Desk struct{ Config }

// New makes a desk that keeps messages and delivers nothing.
func New(db *database.DB) *Desk { return Open(Config{DB: db, Development: true}) }

// Open makes a desk.
func Open(c Config) *Desk { return &Desk{c} }

// Reaches reports whether a message of this kind gets to an account: it has the address, and there is a way to it.
func (d *Desk) Reaches(a models.Account, kind string) bool {
	return address(a, kind) != "" && (d.Development || d.sender(kind) != nil)
}

func address(a models.Account, kind string) string {
	if kind == SMS {
		return a.Phone
	}
	return a.Email
}

func (d *Desk) sender(kind string) Sender {
	if kind == SMS {
		return d.SMS
	}
	return d.Mail
}

const (
	maxSubject = 200 // characters, of the column
	maxArg     = 70  // characters of each text in an SMS; the e-mail has all of it
	// mark stands for the code in texts at rest.
	mark = "{code}"
)

var errNoSeal = errors.New("notify: a code cannot be kept without a seal")

// Tell writes the letter, in the transaction of ctx, to each address that the account has: phone and e-mail (HW-36).
func (d *Desk) Tell(ctx context.Context, l Letter) error {
	args := l.Args
	if l.Code != "" {
		if d.Seal == nil {
			return errNoSeal
		}
		args = maps.Clone(args)
		if args == nil {
			args = map[string]any{}
		}
		args["code"] = mark
	}
	body, short := messages.Text(l.Locale, l.Key+".body", args), messages.Text(l.Locale, l.Key+".body", shortened(args))
	subject := oneLine(messages.Text(l.Locale, l.Key+".subject", args))
	for _, m := range []Message{{Kind: SMS, Body: short}, {Kind: Email, Subject: subject, Body: body}} {
		if m.To = address(l.Account, m.Kind); m.To == "" || l.Only != "" && l.Only != m.Kind {
			continue
		}
		if err := d.write(ctx, l, m); err != nil {
			return err
		}
	}
	return nil
}

// shortened are the arguments for an SMS: what people wrote themselves, and lists, may be long, and each part of an SMS costs.
func shortened(args map[string]any) map[string]any {
	args = maps.Clone(args)
	for k, v := range args {
		if text, ok := v.(string); ok {
			args[k] = cut(text, maxArg)
		}
	}
	return args
}

// cut shortens a text to n characters.
func cut(text string, n int) string {
	if r := []rune(text); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return text
}

// oneLine fits a subject into its header and its column.
func oneLine(text string) string {
	return cut(strings.Join(strings.Fields(text), " "), maxSubject)
}

func (d *Desk) write(ctx context.Context, l Letter, m Message) error {
	id := models.NewID()
	var code []byte
	if l.Code != "" {
		code = d.Seal.Seal([]byte(l.Code), "message", id.String())
	}
	if _, err := d.DB.Exec(ctx, "INSERT INTO messages (account_id, id, kind, recipient, subject, body, code, created_at) VALUES (?,?,?,?,?,?,?,?)",
		l.Account.ID, id, m.Kind, m.To, m.Subject, m.Body, code, l.At); err != nil {
		return err
	}
	if d.sender(m.Kind) == nil {
		return nil
	}
	var useless *time.Time
	if !l.Until.IsZero() {
		useless = &l.Until
	}
	_, err := d.DB.Exec(ctx, "INSERT INTO deliveries (account_id, message_id, kind, urgent, due_at, tries, useless_at, created_at) VALUES (?,?,?,?,?,0,?,?)",
		l.Account.ID, id, m.Kind, useless != nil, l.At, useless, l.At)
	return err
}

const messageColumns = "m.id, m.kind, m.recipient, m.subject, m.body, m.code, m.created_at"

// row is a message as it lies in the database.
type row struct {
	Message
	id   models.ID
	code []byte
}

func (r *row) into() []any {
	return []any{&r.id, &r.Kind, &r.To, &r.Subject, &r.Body, &r.code, &r.At}
}

// opened puts the code into its texts. seal.ErrSealed where the key is another one by now.
func (d *Desk) opened(r row) (Message, error) {
	m := r.Message
	m.ID = r.id.String()
	if len(r.code) == 0 {
		return m, nil
	}
	if d.Seal == nil {
		return m, seal.ErrSealed
	}
	code, err := d.Seal.Open(r.code, "message", r.id.String())
	if err != nil {
		return m, err
	}
	m.Code = string(code)
	m.Subject, m.Body = strings.ReplaceAll(m.Subject, mark, m.Code), strings.ReplaceAll(m.Body, mark, m.Code)
	return m, nil
}

// Of reads an account's last hundred messages, newest first, with their codes.
func (d *Desk) Of(ctx context.Context, account models.ID) (out []Message, err error) {
	err = d.DB.Query(ctx, func(rows *sql.Rows) error {
		var r row
		if err := rows.Scan(r.into()...); err != nil {
			return err
		}
		m, err := d.opened(r)
		if errors.Is(err, seal.ErrSealed) {
			err = nil // the text without its code is still worth reading
		}
		out = append(out, m)
		return err
	}, "SELECT "+messageColumns+" FROM messages m WHERE m.account_id = ? ORDER BY m.created_at DESC, m.id DESC LIMIT 100", account)
	return out, err
}
