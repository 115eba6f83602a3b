package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func (w world) dial(t *testing.T, headers ...string) *websocket.Conn {
	t.Helper()
	c, resp, err := w.tryDial(t, headers...)
	if err != nil {
		t.Fatal(err, resp)
	}
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func (w world) tryDial(t *testing.T, headers ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	o := &websocket.DialOptions{Subprotocols: []string{protocol}, HTTPHeader: http.Header{}}
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "protocol" {
			o.Subprotocols = strings.Fields(headers[i+1])
		} else {
			o.HTTPHeader.Set(headers[i], headers[i+1])
		}
	}
	return websocket.Dial(t.Context(), w.server.URL+"/graphql", o)
}

func say(t *testing.T, c *websocket.Conn, frames ...string) {
	t.Helper()
	for _, f := range frames {
		if err := c.Write(t.Context(), websocket.MessageText, []byte(f)); err != nil {
			t.Fatal(err)
		}
	}
}

func hear(t *testing.T, c *websocket.Conn) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := c.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// closes reads until the server closes, and gives the code.
func closes(t *testing.T, c *websocket.Conn) (code websocket.StatusCode, frames []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	for {
		_, data, err := c.Read(ctx)
		var closed websocket.CloseError
		if errors.As(err, &closed) {
			return closed.Code, frames
		}
		if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, string(data))
	}
}

const (
	hello    = `{"type":"connection_init"}`
	ack      = `{"type":"connection_ack"}`
	forever  = `{"id":"1","type":"subscribe","payload":{"query":"subscription { forever }"}}`
	countTo2 = `{"id":"1","type":"subscribe","payload":{"query":"subscription { count(to:2) }"}}`
)

func TestSocketOperations(t *testing.T) {
	w := start(t)
	c := w.dial(t)
	say(t, c, `{"type":"ping","payload":{"a":1}}`)
	if got := hear(t, c); got != `{"type":"pong","payload":{"a":1}}` {
		t.Fatal("ping before init:", got)
	}
	say(t, c, `{"type":"connection_init","payload":{"authorization":"Bearer me","locale":"zh-CN"}}`)
	if got := hear(t, c); got != ack {
		t.Fatal(got)
	}
	expect := func(frame string, want ...string) {
		t.Helper()
		say(t, c, frame)
		for _, x := range want {
			if got := hear(t, c); !strings.HasPrefix(got, x) {
				t.Fatalf("%s: %s, wanted %s", frame, got, x)
			}
		}
	}
	complete := `{"id":"1","type":"complete"}`
	expect(countTo2, `{"id":"1","type":"next","payload":{"data":{"count":1}}}`, `{"id":"1","type":"next","payload":{"data":{"count":2}}}`, complete)
	expect(`{"id":"1","type":"subscribe","payload":{"query":"{ who locale }"}}`, `{"id":"1","type":"next","payload":{"data":{"who":"me","locale":"zh-Hans"}}}`, complete)
	expect(`{"id":"1","type":"subscribe","payload":{"query":"mutation { touch }"}}`, `{"id":"1","type":"next","payload":{"data":{"touch":1}}}`, complete)
	// Nothing follows an error: the next frame is the next operation's.
	expect(`{"id":"1","type":"subscribe","payload":{"query":"{ nothing }"}}`, `{"id":"1","type":"error","payload":[{"message":"Cannot query field`)
	expect(`{"id":"1","type":"subscribe","payload":{"query":"subscription { boom }"}}`, `{"id":"1","type":"error","payload":[{"message":"something went wrong on our side"`)
	expect(`{"type":"pong"}`)
	// A subscription the client ends says no more, and its id is free at once.
	expect(forever, `{"id":"1","type":"next","payload":{"data":{"forever":1}}}`)
	expect(complete)
	expect(forever, `{"id":"1","type":"next","payload":{"data":{"forever":1}}}`)
	expect(complete)
	eventually(t, "subscriptions end", func() bool { return w.follows.Load() == 0 })
	expect(`{"id":"9","type":"complete"}`) // of nothing: harmless
	expect(`{"type":"ping"}`, `{"type":"pong"}`)
}

// Every close code of the protocol, driven by raw frames (graphql.md).
func TestCloseCodes(t *testing.T) {
	w := start(t)
	for name, c := range map[string]struct {
		frames []string
		want   websocket.StatusCode
	}{
		"not JSON":                 {[]string{`{`}, 4400},
		"no type":                  {[]string{`{"id":"1"}`}, 4400},
		"unknown type":             {[]string{`{"type":"connection_terminate"}`}, 4400},
		"legacy start":             {[]string{hello, `{"id":"1","type":"start","payload":{"query":"{ hello }"}}`}, 4400},
		"subscribe before ack":     {[]string{countTo2}, 4401},
		"a wrong token":            {[]string{`{"type":"connection_init","payload":{"authorization":"Bearer bad"}}`}, 4401},
		"no bearer":                {[]string{`{"type":"connection_init","payload":{"authorization":"me"}}`}, 4401},
		"init payload a list":      {[]string{`{"type":"connection_init","payload":[1]}`}, 4400},
		"keys down":                {[]string{`{"type":"connection_init","payload":{"Authorization":"Bearer down"}}`}, 1013},
		"second init":              {[]string{hello, hello}, 4429},
		"no id":                    {[]string{hello, `{"type":"subscribe","payload":{"query":"{ hello }"}}`}, 4400},
		"long id":                  {[]string{hello, `{"id":"` + strings.Repeat("x", 200) + `","type":"subscribe","payload":{"query":"{ hello }"}}`}, 4400},
		"no payload":               {[]string{hello, `{"id":"1","type":"subscribe"}`}, 4400},
		"no query":                 {[]string{hello, `{"id":"1","type":"subscribe","payload":{}}`}, 4400},
		"duplicate id":             {[]string{hello, forever, forever}, 4409},
		"a frame over the limit":   {[]string{hello, `{"type":"ping","payload":"` + strings.Repeat("x", 30_000) + `"}`}, websocket.StatusMessageTooBig},
		"the token ends meanwhile": {[]string{`{"type":"connection_init","payload":{"authorization":"Bearer soon"}}`, forever}, 4401},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn := w.dial(t)
			for _, f := range c.frames { // the server may close before all are written
				_ = conn.Write(t.Context(), websocket.MessageText, []byte(f))
			}
			code, frames := closes(t, conn)
			if code != c.want {
				t.Errorf("%d after %v", code, frames)
			}
			for _, f := range frames {
				if strings.Contains(f, `"complete"`) {
					t.Error("told complete:", f)
				}
			}
		})
	}
	t.Run("binary", func(t *testing.T) {
		conn := w.dial(t)
		_ = conn.Write(t.Context(), websocket.MessageBinary, []byte(hello))
		if code, _ := closes(t, conn); code != 4400 {
			t.Error(code)
		}
	})
	t.Run("legacy protocol", func(t *testing.T) {
		for _, p := range []string{"graphql-ws", ""} {
			if code, _ := closes(t, w.dial(t, "protocol", p)); code != 4406 {
				t.Error(p, code)
			}
		}
	})
}

func TestUpgradeIsJudged(t *testing.T) {
	w := start(t)
	for origin, want := range map[string]bool{"https://console.example": true, w.server.URL: true, "https://evil.example": false, "null": false} {
		c, resp, err := w.tryDial(t, "Origin", origin)
		if (err == nil) != want || !want && resp.StatusCode != http.StatusForbidden {
			t.Error(origin, err)
		}
		if err == nil {
			_ = c.CloseNow()
		}
	}
	if _, resp, err := w.tryDial(t, "Authorization", "Bearer bad"); err == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Error(err)
	}
	c := w.dial(t, "Authorization", "Bearer header", "Accept-Language", "zh-TW")
	say(t, c, hello, `{"id":"1","type":"subscribe","payload":{"query":"{ who locale }"}}`)
	hear(t, c)
	if got := hear(t, c); !strings.Contains(got, `{"who":"header","locale":"zh-Hant"}`) {
		t.Error(got)
	}
}

func TestOperationsOfASocketAreBounded(t *testing.T) {
	w := start(t)
	c := w.dial(t)
	say(t, c, hello)
	hear(t, c)
	for i := range 4 {
		say(t, c, strings.Replace(forever, `"1"`, fmt.Sprintf(`"%d"`, i), 1))
		got := hear(t, c)
		if refused := strings.Contains(got, "RATE_LIMITED"); refused != (i == 3) {
			t.Fatal(i, got)
		}
	}
}

// contract §1: subscriptions are told to reconnect.
func TestDrain(t *testing.T) {
	w := start(t)
	c := w.dial(t)
	say(t, c, hello, forever)
	hear(t, c)
	hear(t, c)
	events := w.events(t, `{"query":"subscription { forever }"}`)
	if got := <-events; got != `next {"data":{"forever":1}}` {
		t.Fatal(got)
	}
	drained := make(chan struct{})
	go func() { w.api.Drain(t.Context()); close(drained) }()
	if code, frames := closes(t, c); code != websocket.StatusGoingAway || len(frames) > 0 {
		t.Error(code, frames)
	}
	if got, more := <-events; more {
		t.Error("the stream was completed, so the client would not come back:", got)
	}
	<-drained
	if a := w.send(t, "GET", "/readyz", ""); a.status != 503 || !strings.Contains(a.body, "draining") {
		t.Error(a.body)
	}
	if _, resp, err := w.tryDial(t); err == nil || resp.StatusCode != http.StatusServiceUnavailable {
		t.Error("somebody came in:", err)
	}
}

// Sockets that are cut without a close leave nothing behind.
func TestCutSocketsLeaveNothing(t *testing.T) {
	w := start(t)
	before := runtime.NumGoroutine()
	conns := make([]*websocket.Conn, 100)
	var all sync.WaitGroup
	for i := range conns {
		conns[i] = w.dial(t)
		all.Go(func() {
			say(t, conns[i], hello, forever)
			hear(t, conns[i])
			hear(t, conns[i])
		})
	}
	all.Wait()
	if n := w.follows.Load(); n != 100 {
		t.Fatal(n)
	}
	for _, c := range conns {
		_ = c.CloseNow()
	}
	eventually(t, "subscriptions end", func() bool { return w.follows.Load() == 0 })
	eventually(t, "goroutines end", func() bool { return runtime.NumGoroutine() <= before+2 })
	if a := w.send(t, "GET", "/metrics", ""); !strings.Contains(a.body, "paydesk_websockets 0") || !strings.Contains(a.body, "paydesk_subscriptions 0") {
		t.Error("the gauges remember them")
	}
}

// One that stops reading delays nobody and is cut by the write deadline.
func TestReaderThatStops(t *testing.T) {
	w := start(t)
	idle := w.dial(t)
	say(t, idle, hello)
	go func() {
		for range 300 {
			if idle.Write(context.Background(), websocket.MessageText, []byte(`{"id":"1","type":"subscribe","payload":{"query":"subscription { count(to:100000) }"}}`)) != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	other := w.dial(t)
	say(t, other, hello, countTo2)
	began := time.Now()
	for range 4 {
		hear(t, other)
	}
	if time.Since(began) > time.Second {
		t.Error("the other one waited")
	}
	_ = idle.CloseNow()
}

func (w world) events(t *testing.T, body string, headers ...string) <-chan string {
	t.Helper()
	r, _ := http.NewRequestWithContext(t.Context(), "POST", w.server.URL+"/graphql", strings.NewReader(body))
	r.Header.Set("Content-Type", mediaJSON)
	r.Header.Set("Accept", mediaEvents)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), mediaEvents) {
		t.Fatal(resp.StatusCode, resp.Header)
	}
	out := make(chan string, 100)
	go func() {
		defer close(out)
		defer resp.Body.Close()
		event := ""
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			line := lines.Text()
			if e, ok := strings.CutPrefix(line, "event: "); ok {
				event = e
			}
			if d, ok := strings.CutPrefix(line, "data: "); ok {
				out <- event + " " + d
			}
		}
	}()
	return out
}

// GraphQL over SSE, distinct connections mode.
func TestEvents(t *testing.T) {
	w := start(t)
	for body, want := range map[string][]string{
		`{"query":"subscription { count(to:2) }"}`: {`next {"data":{"count":1}}`, `next {"data":{"count":2}}`, "complete "},
		`{"query":"{ hello }"}`:                    {`next {"data":{"hello":"hello `, "complete "},
		`{"query":"{ nothing }"}`:                  {`next {"errors":[{"message":"Cannot query field`, "complete "},
		`{"query":"subscription { boom }"}`:        {`next {"errors":[{"message":"something went wrong on our side"`, "complete "},
	} {
		var got []string
		for e := range w.events(t, body) {
			got = append(got, e)
		}
		if len(got) != len(want) {
			t.Errorf("%s: %q", body, got)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], want[i]) {
				t.Errorf("%s: %q", body, got)
			}
		}
	}
	a := w.send(t, "GET", "/graphql?query="+"subscription%7Bcount(to:1)%7D", "", "Accept", mediaEvents, "X-Paydesk-Client", "t")
	if !strings.Contains(a.body, "event: complete\ndata: \n\n") {
		t.Errorf("%q", a.body)
	}
	// contract §3: a subscription ends when its token does.
	var last []string
	for e := range w.events(t, `{"query":"subscription { forever }"}`, "Authorization", "Bearer soon") {
		last = append(last, e)
	}
	if len(last) != 3 || !strings.Contains(last[1], codeUnauthenticated) || last[2] != "complete " {
		t.Errorf("%q", last)
	}
}
