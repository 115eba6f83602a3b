package httpapi

import (
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// Bodies and messages that are large take of one room, whoever sends them; small ones always pass, and what was taken comes back.
func TestLargeBodiesAreBoundedTogether(t *testing.T) {
	w := start(t)
	const left = 1000
	w.api.large.left.Store(left)
	body := func(bytes int) string {
		text := `{"query":"{ hello }","x":"` // members that nobody knows are ignored
		return text + strings.Repeat("x", bytes-len(text)-2) + `"}`
	}
	small, full := body(smallBody), body(smallBody+left)
	for range 3 {
		if a := w.send(t, "POST", "/graphql", small); a.status != 200 {
			t.Error(a.body)
		}
		if a := w.send(t, "POST", "/graphql", full); a.status != 200 {
			t.Error(a.body)
		}
		if a := w.send(t, "POST", "/graphql", body(smallBody+left+1)); a.status != 503 || a.code() != codeUnavailable || a.header.Get("Retry-After") == "" {
			t.Error(a.status, a.body)
		}
	}
	form := "--" + boundary + "\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n" + body(smallBody+left+1) + "\r\n--" + boundary + "--\r\n"
	if a := w.form(t, form); a.status != 503 || a.code() != codeUnavailable {
		t.Error(a.status, a.body)
	}
	message := func(body string) string { return `{"id":"1","type":"subscribe","payload":` + body + `}` }
	c := w.dial(t)
	say(t, c, hello, message(body(smallBody)))
	hear(t, c)
	if got := hear(t, c); !strings.Contains(got, `"hello"`) {
		t.Error(got)
	}
	hear(t, c)
	say(t, c, message(body(smallBody+left)))
	if code, _ := closes(t, c); code != websocket.StatusTryAgainLater {
		t.Error(code)
	}
	eventually(t, "room is given back", func() bool { return w.api.large.left.Load() == left })
}
