package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// said is what came back, on whatever transport.
type said struct {
	status int // of HTTP; 0 on a socket
	closed int // the close code of a socket; 0 where it stayed open
	data   map[string]any
	codes  []string // of top-level errors
	text   string   // all that came, to be searched
}

func (s *said) read(payload []byte) {
	var answer struct {
		Data   map[string]any
		Errors []struct{ Extensions struct{ Code string } }
	}
	if json.Unmarshal(payload, &answer) != nil {
		return
	}
	s.data = answer.Data
	for _, e := range answer.Errors {
		s.codes = append(s.codes, e.Extensions.Code)
	}
}

func (o operation) body(variables map[string]any) []byte {
	body, err := json.Marshal(map[string]any{"query": o.text(), "variables": variables})
	if err != nil {
		panic(err) // variables of our own
	}
	return body
}

func (o operation) request(t testing.TB, ctx context.Context, u user, variables map[string]any, accept string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.base+"/graphql", bytes.NewReader(o.body(variables)))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", accept)
	if u.token != "" {
		r.Header.Set("Authorization", "Bearer "+u.token)
	}
	res, err := web.Do(r)
	if err != nil {
		t.Fatalf("%s: %v", o.name, err)
	}
	return res
}

// post asks by POST.
func (o operation) post(t testing.TB, u user, variables map[string]any) said {
	t.Helper()
	res := o.request(t, t.Context(), u, variables, "application/json")
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := said{status: res.StatusCode, text: string(text)}
	got.read(text)
	return got
}

// events subscribes by SSE and takes the first event.
func (o operation) events(t testing.TB, u user, variables map[string]any) said {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	res := o.request(t, ctx, u, variables, "text/event-stream")
	defer res.Body.Close()
	got := said{status: res.StatusCode}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		got.text += lines.Text() + "\n"
		payload, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			payload = lines.Text() // a refusal is JSON
		}
		if got.read([]byte(payload)); got.data != nil || got.codes != nil {
			return got
		}
	}
	t.Fatalf("%s: the stream ended without an event (%v): %s", o.name, lines.Err(), got.text)
	return got
}

// frame is a message of graphql-transport-ws.
type frame struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

// socket subscribes over a WebSocket and takes the first answer.
func (o operation) socket(t testing.TB, u user, variables map[string]any) (got said) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn := dial(t, ctx, u.base)
	defer func() { _ = conn.CloseNow() }()
	payload := map[string]string{}
	if u.token != "" {
		payload["authorization"] = "Bearer " + u.token
	}
	init, _ := json.Marshal(payload)
	write := func(f frame) {
		text, _ := json.Marshal(f)
		_ = conn.Write(ctx, websocket.MessageText, text) // what went wrong is read
	}
	write(frame{Type: "connection_init", Payload: init})
	write(frame{ID: "1", Type: "subscribe", Payload: o.body(variables)})
	for {
		_, text, err := conn.Read(ctx)
		if code := websocket.CloseStatus(err); code > 0 {
			got.closed = int(code)
			return got
		}
		if err != nil {
			t.Fatalf("%s: %v after %s", o.name, err, got.text)
		}
		got.text += string(text) + "\n"
		var f frame
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatalf("%s: %s", o.name, text)
		}
		switch f.Type {
		case "next":
			got.read(f.Payload)
			return got
		case "error":
			got.read([]byte(`{"errors":` + string(f.Payload) + `}`))
			return got
		case "complete":
			t.Fatalf("%s: completed without an answer: %s", o.name, got.text)
		}
	}
}

// dial opens a WebSocket at /graphql; headers are pairs of name and value.
func dial(t testing.TB, ctx context.Context, base string, headers ...string) *websocket.Conn {
	t.Helper()
	conn, res, err := tryDial(ctx, base, headers...)
	if err != nil {
		t.Fatalf("WebSocket: %v (%v)", err, res)
	}
	return conn
}

func tryDial(ctx context.Context, base string, headers ...string) (*websocket.Conn, *http.Response, error) {
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	conn, res, err := websocket.Dial(ctx, strings.Replace(base, "http", "ws", 1)+"/graphql",
		&websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}, HTTPHeader: h, Host: h.Get("Host")})
	if conn != nil {
		conn.SetReadLimit(4 << 20)
	}
	return conn, res, errors.Join(err)
}
