// Package notify tells customers by SMS and e-mail what happened to their money: a message is written in the transaction of
// what it tells. Who sends them joins later; in development they are read at /dev/messages (contract.md §6).
package notify

import (
	"context"
	"database/sql"
	"time"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/messages"
	"paydesk/models"
)

// Kinds of message.
const (
	SMS   = "SMS"
	Email = "EMAIL"
)

// Message is one that was or will be sent.
type Message struct {
	Kind, To, Subject, Body string
	At                      time.Time
}

// Letter is what an account is told. Key names two texts of the catalogue, key.subject and key.body; an SMS has the body alone.
type Letter struct {
	Account models.Account
	Locale  string
	Key     string
	Args    map[string]any
	At      time.Time
}

// Desk writes messages.
type Desk struct{ db *database.DB }

// New makes a desk on a database.
func New(db *database.DB) *Desk { return &Desk{db} }

// Tell writes the letter, in the transaction of ctx, to each address that the account has: phone and e-mail (HW-36).
func (d *Desk) Tell(ctx context.Context, l Letter) error {
	body := messages.Text(l.Locale, l.Key+".body", l.Args)
	for _, m := range []Message{
		{Kind: SMS, To: l.Account.Phone, Body: body},
		{Kind: Email, To: l.Account.Email, Subject: messages.Text(l.Locale, l.Key+".subject", l.Args), Body: body},
	} {
		if m.To == "" {
			continue
		}
		if _, err := d.db.Exec(ctx, "INSERT INTO messages (account_id, id, kind, recipient, subject, body, created_at) VALUES (?,?,?,?,?,?,?)",
			l.Account.ID, models.NewID(), m.Kind, m.To, m.Subject, m.Body, l.At); err != nil {
			return err
		}
	}
	return nil
}

// Of reads an account's last hundred messages, newest first.
func (d *Desk) Of(ctx context.Context, account models.ID) (out []Message, err error) {
	err = d.db.Query(ctx, func(r *sql.Rows) error {
		var m Message
		err := r.Scan(&m.Kind, &m.To, &m.Subject, &m.Body, &m.At)
		out = append(out, m)
		return err
	}, "SELECT kind, recipient, subject, body, created_at FROM messages WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT 100", account)
	return out, err
}
