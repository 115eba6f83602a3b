package sandbox

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// retries are the waits after each failed attempt: the providers' schedules, shortened. Then it gives up.
var retries = []time.Duration{time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

const (
	lease       = 15 * time.Second       // an attempt that has not ended by then is anybody's
	patience    = 5 * time.Second        // how long a merchant may take to acknowledge (WeChat Pay's limit)
	lookEvery   = 250 * time.Millisecond // for what is due; new notifications wake the worker at once
	maxInFlight = 16
)

func deliveryClient(given *http.Client) *http.Client {
	c := &http.Client{}
	if given != nil {
		*c = *given
	} else {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxIdleConnsPerHost = maxInFlight
		c.Transport = t
	}
	c.Timeout = patience
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

func (s *Sandbox) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// deliverForever sends what is due until ctx ends, and waits for what it has begun.
func (s *Sandbox) deliverForever(ctx context.Context) {
	var running sync.WaitGroup
	defer running.Wait()
	free := make(chan struct{}, maxInFlight)
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		due, err := s.due(ctx)
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sandbox: notifications not read", "error", err)
		}
		for _, n := range due {
			select {
			case free <- struct{}{}:
			case <-ctx.Done():
				return
			}
			running.Go(func() {
				defer func() { <-free }()
				if err := s.deliver(ctx, n); err != nil && ctx.Err() == nil {
					s.log.WarnContext(ctx, "sandbox: notification not delivered", "channel", n.Channel, "error", err)
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-tick.C:
		}
	}
}

func (s *Sandbox) due(ctx context.Context) ([]notification, error) {
	var due []notification
	err := s.db.Query(ctx, func(r *sql.Rows) error {
		var n notification
		err := r.Scan(&n.ID, &n.Channel, &n.NotifyID, &n.URL, &n.Payload, &n.Forged, &n.Attempts)
		due = append(due, n)
		return err
	}, "SELECT id, channel, notify_id, url, payload, forged, attempts FROM sandbox_notifications "+
		"WHERE next_at <= ? ORDER BY next_at LIMIT 100", wall())
	return due, err
}

// deliver makes one attempt. Who raises attempts first has it: other instances look at the same rows.
func (s *Sandbox) deliver(ctx context.Context, n notification) error {
	got, err := s.db.Exec(ctx, "UPDATE sandbox_notifications SET attempts = attempts + 1, next_at = ? "+
		"WHERE id = ? AND attempts = ? AND next_at IS NOT NULL", wall().Add(lease), n.ID, n.Attempts)
	if err != nil || got == 0 {
		return err
	}
	answer, acknowledged := s.send(ctx, n)
	if ctx.Err() != nil {
		return ctx.Err() // the lease runs out, the next start delivers
	}
	if acknowledged {
		_, err = s.db.Exec(ctx, "UPDATE sandbox_notifications SET next_at = NULL, delivered_at = ?, last_answer = ? WHERE id = ?",
			wall(), answer, n.ID)
		return err
	}
	var next *time.Time
	if int(n.Attempts) < len(retries) && !n.Forged {
		at := wall().Add(retries[n.Attempts])
		next = &at
	}
	_, err = s.db.Exec(ctx, "UPDATE sandbox_notifications SET next_at = ?, last_answer = ? WHERE id = ?", next, answer, n.ID)
	return err
}

// send posts a notification and judges the answer as its provider does.
func (s *Sandbox) send(ctx context.Context, n notification) (answer string, acknowledged bool) {
	p, ok := s.protocolOf(n.Channel)
	if !ok {
		return "no such protocol", false
	}
	l, err := s.write(ctx, p, n)
	if err != nil {
		return short(err.Error()), false
	}
	method := http.MethodPost
	if l.visit() {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(ctx, method, n.URL, bytes.NewReader(l.body))
	if err != nil {
		return short(err.Error()), false
	}
	for k, v := range l.header {
		r.Header.Set(k, v)
	}
	res, err := s.client.Do(r)
	if err != nil {
		return short(err.Error()), false
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 1024))
	return short(fmt.Sprintf("%d %s", res.StatusCode, body)), l.visit() || p.acknowledged(res.StatusCode, body)
}

// short fits column last_answer.
func short(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if len(text) > 200 {
		text = strings.ToValidUTF8(text[:200], "")
	}
	return text
}
