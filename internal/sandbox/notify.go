package sandbox

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"paydesk/models"
)

// fact is what a notification tells of a trade: a snapshot, signed anew with each attempt.
type fact struct {
	Number, Reference string
	Amount            int64 // minor units
	Currency, Subject string
	Channel           models.PaymentChannel
	Detail            detail
	State             status // PAID or DECLINED
	CreatedAt         time.Time
	PaidAt, ClosedAt  *time.Time
	Refund            *refundFact  `json:",omitempty"` // where the notification is of a refund
	Dispute           *disputeFact `json:",omitempty"` // where it is of a dispute of a card payment
	Visit             bool         `json:",omitempty"` // no notification: the payer's browser comes back
}

// notification is a row of sandbox_notifications that is due.
type notification struct {
	ID       models.ID
	Channel  models.PaymentChannel
	NotifyID string // the provider's id, the same with each attempt
	URL      string
	Payload  string // a fact in JSON
	Forged   bool   // signed with a wrong key, and sent once only
	Attempts int64
}

// notify writes, in the transaction of ctx, what the merchant has to be told of a trade's turn, as the channel behaves
// now. WeChat Pay tells of success only; a refused payment is found by asking.
func (s *Sandbox) notify(ctx context.Context, t trade, to status) error {
	b, err := s.behaviour(ctx, t.Channel)
	if err != nil {
		return err
	}
	forged := b.Notify == forge
	p, _ := s.protocolOf(t.Channel)
	visit := !forged && p.comesBack != nil && p.comesBack(to)
	if p.tells != nil && !p.tells(to) && !forged && !visit {
		return nil
	}
	f := fact{Visit: visit, Number: t.Number, Reference: t.Reference, Amount: t.Amount, Currency: t.Currency, Subject: t.Subject,
		State: to, CreatedAt: t.CreatedAt, PaidAt: t.PaidAt, ClosedAt: t.ClosedAt, Channel: t.Channel, Detail: t.Detail}
	if b.Call == wrongAmount {
		f.Amount++
	}
	if forged {
		now := wall()
		f.State, f.PaidAt = paid, &now
	}
	address := t.NotifyURL
	if visit {
		address = t.Detail.ReturnURL
	}
	return s.announce(ctx, b, t.Channel, address, f, wall())
}

// announce queues a notification as the channel behaves: not at all, late, twice, or wrongly signed.
func (s *Sandbox) announce(ctx context.Context, b behaviour, c models.PaymentChannel, url string, f fact, due time.Time) error {
	if url == "" || b.Notify == drop {
		return nil
	}
	if wait, ok := strings.CutPrefix(b.Notify, delay); ok {
		d, _ := time.ParseDuration(wait)
		due = due.Add(d)
	}
	payload, err := json.Marshal(f)
	if err != nil {
		return err
	}
	n := notification{Channel: c, NotifyID: newNotifyID(), URL: url, Payload: string(payload), Forged: b.Notify == forge}
	if err := s.queue(ctx, n, due); err != nil || b.Notify != duplicate {
		return err
	}
	// Duplicates come as they do in life: the same notification again, and one with an id of its own.
	if err := s.queue(ctx, n, due); err != nil {
		return err
	}
	n.NotifyID = newNotifyID()
	return s.queue(ctx, n, due)
}

func newNotifyID() string { return strings.ToLower(upperHex(16)) }

func (s *Sandbox) queue(ctx context.Context, n notification, due time.Time) error {
	forged := 0
	if n.Forged {
		forged = 1
	}
	_, err := s.db.Exec(ctx, "INSERT INTO sandbox_notifications "+
		"(id, channel, notify_id, url, payload, forged, attempts, last_answer, next_at, created_at) VALUES (?,?,?,?,?,?,?,?,?,?)",
		models.NewID(), string(n.Channel), n.NotifyID, n.URL, n.Payload, forged, 0, "", due, wall())
	return err
}

// letter is a notification ready to be POSTed; without a body it is a visit, which is a GET.
type letter struct {
	header map[string]string
	body   []byte
}

func (l letter) visit() bool { return l.body == nil }

// write signs a notification for now, as the channel behaves now.
func (s *Sandbox) write(ctx context.Context, p protocol, n notification) (letter, error) {
	var f fact
	if err := json.Unmarshal([]byte(n.Payload), &f); err != nil {
		return letter{}, err
	}
	if f.Visit {
		return letter{}, nil
	}
	b, err := s.behaviour(ctx, n.Channel)
	if err != nil {
		return letter{}, err
	}
	return p.write(withBehaviour(ctx, b), s, n, f)
}
