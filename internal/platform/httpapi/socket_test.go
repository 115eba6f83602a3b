package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
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

// Every close code of the protocol, driven by frames written by hand (graphql.md).
func TestCloseCodes(t *testing.T) {
	w := start(t, func(o *Options) { o.Timeouts.InitTimeout, o.Timeouts.BodyTimeout = time.Second, time.Second })
	const open = ""
	says := func(texts ...string) (frames []frame) {
		for _, text := range texts {
			frames = append(frames, frame{first: fin | textOp, payload: []byte(text)})
		}
		return frames
	}
	run := func(id, query string) string {
		return fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%q}}`, id, query)
	}
	long := strings.Repeat("é", 60)
	for name, c := range map[string]struct {
		init   string // sent and acknowledged first, but for "none"
		frames []frame
		want   int
	}{
		"not JSON":                   {"none", says(`{`), 4400},
		"JSON and more":              {open, says(`{"type":"ping"}{"type":"ping"}`), 4400},
		"a list":                     {open, says(`[{"type":"ping"}]`), 4400},
		"no message":                 {open, says(``), 4400},
		"no type":                    {"none", says(`{"id":"1"}`), 4400},
		"a type that is no text":     {open, says(`{"type":1}`), 4400},
		"unknown type":               {"none", says(`{"type":"connection_terminate"}`), 4400},
		"a type of the server's":     {open, says(`{"id":"1","type":"next","payload":{}}`), 4400},
		"legacy start":               {open, says(`{"id":"1","type":"start","payload":{"query":"{ hello }"}}`), 4400},
		"legacy stop":                {open, says(`{"id":"1","type":"stop"}`), 4400},
		"init payload a list":        {"none", says(`{"type":"connection_init","payload":[1]}`), 4400},
		"ping payload a text":        {open, says(`{"type":"ping","payload":"x"}`), 4400},
		"no id":                      {open, says(`{"type":"subscribe","payload":{"query":"{ hello }"}}`), 4400},
		"an empty id":                {open, says(run("", "{ hello }")), 4400},
		"an id that is a number":     {open, says(`{"id":1,"type":"subscribe","payload":{"query":"{ hello }"}}`), 4400},
		"complete without id":        {open, says(`{"type":"complete"}`), 4400},
		"long id":                    {open, says(run(strings.Repeat("x", 200), "{ hello }")), 4400},
		"no payload":                 {open, says(`{"id":"1","type":"subscribe"}`), 4400},
		"payload no object":          {open, says(`{"id":"1","type":"subscribe","payload":"{ hello }"}`), 4400},
		"payload a list":             {open, says(`{"id":"1","type":"subscribe","payload":[{"query":"{ hello }"}]}`), 4400},
		"no query":                   {open, says(`{"id":"1","type":"subscribe","payload":{}}`), 4400},
		"variables a list":           {open, says(`{"id":"1","type":"subscribe","payload":{"query":"{ hello }","variables":[]}}`), 4400},
		"binary":                     {"none", []frame{{first: fin | binaryOp, payload: []byte(hello)}}, 4400},
		"subscribe before ack":       {"none", says(countTo2), 4401},
		"a wrong token":              {"none", says(`{"type":"connection_init","payload":{"authorization":"Bearer bad"}}`), 4401},
		"no bearer":                  {"none", says(`{"type":"connection_init","payload":{"authorization":"me"}}`), 4401},
		"the token ends meanwhile":   {`,"payload":{"authorization":"Bearer soon"}`, says(forever), 4401},
		"no init in time":            {"none", nil, 4408},
		"pings are no init":          {"none", says(`{"type":"ping"}`), 4408},
		"duplicate id":               {open, says(forever, forever), 4409},
		"duplicate long id":          {open, says(run(long, "subscription { forever }"), run(long, "subscription { forever }")), 4409},
		"second init":                {open, says(hello), 4429},
		"two inits at once":          {"none", says(hello, hello), 4429},
		"keys down":                  {"none", says(`{"type":"connection_init","payload":{"Authorization":"Bearer down"}}`), 1013},
		"too large":                  {open, says(`{"type":"ping","payload":"` + strings.Repeat("x", 30_000) + `"}`), 1009},
		"far too large":              {open, says(strings.Repeat("x", 5<<20)), 1009},
		"too large in pieces":        {open, pieces(strings.Repeat("x", 30_000), 1000), 1009},
		"a text that is not UTF-8":   {open, []frame{{first: fin | textOp, payload: []byte("{\"type\":\"ping\",\"payload\":{\"a\":\"\xff\"}}")}}, 1007},
		"unmasked":                   {open, []frame{{first: fin | textOp, unmasked: true, payload: []byte(`{"type":"ping"}`)}}, 1002},
		"RSV1 without an extension":  {open, []frame{{first: fin | 0x40 | textOp, payload: []byte(`{"type":"ping"}`)}}, 1002},
		"RSV2":                       {open, []frame{{first: fin | 0x20 | textOp, payload: []byte(`{"type":"ping"}`)}}, 1002},
		"RSV3":                       {open, []frame{{first: fin | 0x10 | textOp, payload: []byte(`{"type":"ping"}`)}}, 1002},
		"an opcode without meaning":  {open, []frame{{first: fin | 0x3, payload: []byte(`{"type":"ping"}`)}}, 1002},
		"a continuation of nothing":  {open, []frame{{first: fin, payload: []byte(`{"type":"ping"}`)}}, 1002},
		"two messages in each other": {open, []frame{{first: textOp, payload: []byte(`{"type":`)}, {first: fin | textOp, payload: []byte(`"ping"}`)}}, 1002},
		"a ping in pieces":           {open, []frame{{first: pingOp, payload: []byte("x")}}, 1002},
		"a ping too long":            {open, []frame{{first: fin | pingOp, payload: make([]byte, 126)}}, 1002},
		"a close with half a code":   {open, []frame{{first: fin | closeOp, payload: []byte{3}}}, 1002},
		"a close with a wrong code":  {open, []frame{{first: fin | closeOp, payload: []byte{3, 0xED}}}, 1002}, // 1005
		"a close":                    {open, []frame{{first: fin | closeOp, payload: []byte{3, 0xE8}}}, 1000},
		"half a frame":               {open, []frame{{first: fin | textOp, payload: []byte(`{"type":"ping"`), claims: 100}}, 1008},
		"half a message":             {open, []frame{{first: textOp, payload: []byte(`{"type":"ping"`)}}, 1008},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := w.dialWire(t, protocol)
			if c.init != "none" {
				x = w.opened(t, c.init)
			}
			for _, f := range c.frames {
				x.raw(t, f.bytes())
			}
			code, reason, heard := x.closed(t)
			if code != c.want {
				t.Errorf("%d %q after %v", code, reason, heard)
			}
			for _, h := range heard {
				if strings.Contains(h, `"complete"`) {
					t.Error("told complete:", h)
				}
			}
		})
	}
}

// pieces is a message in frames of so many bytes.
func pieces(text string, bytes int) (frames []frame) {
	for i := 0; i < len(text); i += bytes {
		f := frame{payload: []byte(text[i:min(i+bytes, len(text))])}
		if i == 0 {
			f.first = textOp
		}
		if i+bytes >= len(text) {
			f.first |= fin
		}
		frames = append(frames, f)
	}
	return frames
}

// What is allowed, if rarely seen.
func TestFramesThatAreFine(t *testing.T) {
	w := start(t)
	x := w.dialWire(t, "graphql-ws, "+protocol) // both are offered: the legacy one is not spoken
	if got := x.resp.Header.Get("Sec-WebSocket-Protocol"); got != protocol {
		t.Fatal(got)
	}
	x.raw(t, frame{first: fin | pingOp, payload: []byte("early")}.bytes())
	if op, payload, err := x.next(); op != pongOp || string(payload) != "early" {
		t.Fatal(op, payload, err)
	}
	x.text(t, `{"type":"ping"}`)
	if got := x.hear(t); got != `{"type":"pong"}` {
		t.Fatal(got)
	}
	for _, f := range pieces(`{"type":"connection_init","payload":null}`, 7) { // with pings between the pieces (RFC 6455 §5.4)
		x.raw(t, frame{first: fin | pongOp, payload: []byte("unasked")}.bytes())
		x.raw(t, f.bytes())
	}
	if got := x.hear(t); got != ack {
		t.Fatal(got)
	}
	x.text(t, `{"id":"none","type":"complete"}`, countTo2)
	for _, want := range []string{`{"id":"1","type":"next","payload":{"data":{"count":1}}}`, `{"id":"1","type":"next","payload":{"data":{"count":2}}}`, `{"id":"1","type":"complete"}`} {
		if got := x.hear(t); got != want {
			t.Fatal(got)
		}
	}
	x.text(t, strings.Replace(countTo2, "to:2", "to:0", 1)) // a completed id is free
	if got := x.hear(t); got != `{"id":"1","type":"complete"}` {
		t.Fatal(got)
	}
	x.text(t, `{"id":"1","type":"subscribe","payload":{"query":"{ nothing }"}}`)
	if got := x.hear(t); !strings.HasPrefix(got, `{"id":"1","type":"error","payload":[{"message":"Cannot query field`) {
		t.Fatal(got)
	}
	x.text(t, `{"type":"ping"}`)
	if got := x.hear(t); got != `{"type":"pong"}` {
		t.Fatal("after an error:", got)
	}
}

// The opening handshake (RFC 6455 §4.2): what is wrong with it is said in JSON, and offers of other protocols are ignored.
func TestHandshakes(t *testing.T) {
	w := start(t)
	for _, offered := range []string{"", "graphql-ws", "graphql-transport-ws-2"} {
		if code, _, heard := w.dialWire(t, offered).closed(t); code != 4406 || len(heard) > 0 {
			t.Errorf("%q: %d %v", offered, code, heard)
		}
	}
	socket := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	for name, c := range map[string]struct {
		method  string
		headers []string
		status  int
	}{
		"POST":             {"POST", nil, 405},
		"no connection":    {"GET", []string{"Connection", ""}, 426},
		"another version":  {"GET", []string{"Sec-WebSocket-Version", "8"}, 426},
		"no key":           {"GET", []string{"Sec-WebSocket-Key", ""}, 400},
		"a short key":      {"GET", []string{"Sec-WebSocket-Key", "eA=="}, 400},
		"another protocol": {"POST", []string{"Upgrade", "h2c"}, 200},
	} {
		a := w.send(t, c.method, "/graphql", `{"query":"{ hello }"}`, slices.Concat(socket, c.headers)...)
		if a.status != c.status || !strings.HasPrefix(a.header.Get("Content-Type"), mediaJSON) || c.status != 200 && a.code() != codeBadInput {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
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

// A mutation goes on when its client has had enough of it; its id is free at once. Neither is a way to run more than a socket may.
func TestCompletedOperationsStillCount(t *testing.T) {
	w := start(t)
	c := w.dial(t)
	say(t, c, hello)
	hear(t, c)
	const asked = 12
	for i := range asked {
		say(t, c, fmt.Sprintf(`{"id":"%d","type":"subscribe","payload":{"query":"mutation { slowTouch }"}}`, i), fmt.Sprintf(`{"id":"%d","type":"complete"}`, i))
	}
	refused := 0
	for range asked - 2*limits().Operations {
		if got := hear(t, c); strings.Contains(got, "RATE_LIMITED") && strings.Contains(got, `"retryAfter":1`) {
			refused++
		}
	}
	if refused != asked-2*limits().Operations {
		t.Error(refused, "were refused")
	}
}

// An id is free as soon as its operation is completed; what the former one still gives is not the new one's.
func TestAnIDUsedAgainHearsNothingOfTheFormer(t *testing.T) {
	w := start(t)
	c := w.dial(t)
	say(t, c, hello, `{"id":"1","type":"subscribe","payload":{"query":"mutation { slowTouch }"}}`)
	hear(t, c)
	<-w.blocked
	say(t, c, `{"id":"1","type":"complete"}`, forever)
	if got := hear(t, c); !strings.Contains(got, `"forever":1`) {
		t.Fatal(got)
	}
	eventually(t, "the mutation went on", func() bool { return w.touched.Load() == 1 })
	say(t, c, `{"id":"2","type":"subscribe","payload":{"query":"{ hello }"}}`)
	if got := hear(t, c); !strings.Contains(got, `"id":"2"`) {
		t.Error("of the one that was completed:", got)
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

// What a socket is answering is answered before it is closed.
func TestDrainWaitsForAnswers(t *testing.T) {
	w := start(t)
	c := w.dial(t)
	say(t, c, hello, forever)
	hear(t, c)
	hear(t, c)
	say(t, c, `{"id":"m","type":"subscribe","payload":{"query":"mutation { slowTouch }"}}`)
	<-w.blocked
	go w.api.Drain(t.Context())
	code, frames := closes(t, c)
	if code != websocket.StatusGoingAway || len(frames) != 2 || frames[0] != `{"id":"m","type":"next","payload":{"data":{"slowTouch":1}}}` {
		t.Error(code, frames)
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
	eventually(t, "the gauges forget them", func() bool {
		a := w.send(t, "GET", "/metrics", "")
		return strings.Contains(a.body, "paydesk_websockets 0") && strings.Contains(a.body, "paydesk_subscriptions 0")
	})
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
