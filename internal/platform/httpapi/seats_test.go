package httpapi

import (
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// One user's sockets and streams are counted together, an address's while nobody has signed in on them.
func TestSocketsOfAUserAreBounded(t *testing.T) {
	w := start(t, func(o *Options) { o.Limits.Sockets = 2 })
	as := func(who string) string {
		return `{"type":"connection_init","payload":{"authorization":"Bearer ` + who + `"}}`
	}
	signIn := func(c *websocket.Conn, who string) {
		t.Helper()
		say(t, c, as(who))
		if got := hear(t, c); got != ack {
			t.Fatal(got)
		}
	}
	first := w.dial(t)
	signIn(first, "ann") // its seat is ann's now, no longer the address's
	events := w.events(t, `{"query":"subscription { forever }"}`, "Authorization", "Bearer ann")
	<-events

	if _, resp, err := w.tryDial(t, "Authorization", "Bearer ann"); err == nil || resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" {
		t.Error("a third by its header:", resp)
	}
	third := w.dial(t)
	say(t, third, as("ann"))
	if code, heard := closes(t, third); code != 1013 || len(heard) > 0 {
		t.Error("a third by its init:", code, heard)
	}
	a := w.send(t, "POST", "/graphql", `{"query":"subscription { forever }"}`, "Accept", mediaEvents, "Authorization", "Bearer ann")
	if a.status != 429 || a.code() != codeRateLimited || a.header.Get("Retry-After") == "" || !strings.HasPrefix(a.header.Get("Content-Type"), mediaJSON) {
		t.Error("a third stream:", a.status, a.header, a.body)
	}
	isLimited(t, a, retrySeconds)
	if m := w.send(t, "GET", "/metrics", ""); !strings.Contains(m.body, `paydesk_http_refusals_total{code="RATE_LIMITED",status="429"} 2`) {
		t.Error("refusals are not counted")
	}
	if a := w.query(t, "{ who }", "Authorization", "Bearer ann"); a.status != 200 {
		t.Error("requests are not sockets:", a.body)
	}
	signIn(w.dial(t), "bob")

	eventually(t, "the refused one has left the address", func() bool {
		w.api.seats.mu.Lock()
		defer w.api.seats.mu.Unlock()
		return len(w.api.seats.held) == 2 && w.api.seats.held["user ann"] == 2
	})
	anonymous := []*websocket.Conn{w.dial(t), w.dial(t)}
	if _, resp, err := w.tryDial(t); err == nil || resp.StatusCode != http.StatusTooManyRequests {
		t.Error("a third of the address:", resp)
	}
	for _, c := range append(anonymous, first) {
		_ = c.Close(websocket.StatusNormalClosure, "")
	}
	eventually(t, "seats are free again", func() bool {
		c, _, err := w.tryDial(t, "Authorization", "Bearer ann")
		if err == nil {
			_ = c.CloseNow()
		}
		return err == nil
	})
}
