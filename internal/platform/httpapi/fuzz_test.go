package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// alarm fails the test where the edge has caught a panic: nothing that a client sends may come that far.
type alarm struct{}

func (a alarm) Enabled(context.Context, slog.Level) bool { return true }
func (a alarm) WithAttrs([]slog.Attr) slog.Handler       { return a }
func (a alarm) WithGroup(string) slog.Handler            { return a }

func (a alarm) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "panic" {
		r.Attrs(func(x slog.Attr) bool { os.Stderr.WriteString(x.String() + "\n"); return true })
		panic("the edge has caught a panic") // of the goroutine that serves: the fuzzing engine keeps what was sent
	}
	return nil
}

func startFuzz(f *testing.F) world {
	return startEcho(f, func(o *Options) {
		o.Log = slog.New(alarm{})
		o.Dev = true
	})
}

// judged sees that an answer is one of ours: small, JSON, a code of the contract with every error, no data beside a refusal.
func judged(t *testing.T, rec *httptest.ResponseRecorder, allowed ...int) {
	t.Helper()
	ok := false
	for _, status := range allowed {
		ok = ok || rec.Code == status
	}
	var answer struct {
		Data   json.RawMessage
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &answer); err != nil || !ok || rec.Body.Len() > 64<<10 {
		t.Fatalf("%d, %d bytes: %.500s (%v)", rec.Code, rec.Body.Len(), rec.Body, err)
	}
	if (len(answer.Data) > 0) == (len(answer.Errors) > 0) {
		t.Fatalf("neither an answer nor a refusal: %.500s", rec.Body)
	}
	for _, e := range answer.Errors {
		switch e.Extensions.Code {
		case codeBadInput, codeValidationFailed, codeTooComplex, codeNotPersisted:
		default:
			t.Fatalf("another code: %.500s", rec.Body)
		}
		if e.Message == "" {
			t.Fatalf("an error without words: %.500s", rec.Body)
		}
	}
}

// FuzzBody sends anything as the body of a POST.
func FuzzBody(f *testing.F) {
	w := startFuzz(f)
	for _, seed := range []string{
		`{"query":"{ take(n: 1) }"}`, `{"query":"query($v: Line) { take(line: $v) }","variables":{"v":{"amount":"1","lines":[{"amount":"2"}]}}}`,
		`{"query":"query A($v: [[Decimal!]] = [[\"1\"]]) { take(grid: $v) } query B { take }","operationName":"A","variables":{"v":[["1"],null]}}`,
		`{"query":"query($v: Either) { take(either: $v) }","variables":{"v":{"a":1.0}},"extensions":{}}`,
		`{"query":"query($v: Color, $f: Float, $b: Boolean, $i: ID) { take(color: $v, f: $f, b: $b, id: $i) }","variables":{"v":"RED","f":1e3,"b":true,"i":5}}`,
		`{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"}}}`,
		`{"documentId":"sha256:ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38","variables":null}`,
		`{"query":"{ __schema { types { name } } }"}`, `{"query":"subscription { watch(amount: \"1\") }"}`, `[{"query":"{ take }"}]`, `{"query":"{ take }","query":""}`,
		`{"query":"mutation($f: Upload) { put(file: $f) }","variables":{"f":"x"}}`, "\ufeff{}", `{"query":"{ take(amount: 5) }"} {}`, `nul`, ``,
		`{"query":"{ take(s: \"\\ud800\") }"}`, `{"query":"fragment a on Query { ...b } fragment b on Query { ...a } { ...a }"}`,
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, body []byte, newer bool) {
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/graphql", strings.NewReader(string(body)))
		r.Header.Set("Content-Type", mediaJSON)
		if newer {
			r.Header.Set("Accept", mediaResponse)
		}
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r)
		judged(t, rec, 200, 400, 413)
	})
}

// FuzzMultipart sends any operations, map and file, or anything at all between two boundaries.
func FuzzMultipart(f *testing.F) {
	w := startFuzz(f)
	for _, m := range []string{mapOne, `{}`, `{"0":["variables.f.0"]}`, `{"0":["variables.f","variables.f"]}`, `{"0":["variables.l.lines.0.file"],"1":["variables.l.file"]}`,
		`{"0":["variables.f.-1"]}`, `{"0":["operations"]}`, `{"0":[""]}`, `[]`, `{"map":["variables.f"]}`, `{"0":["variables..f"]}`, `{"\u0030":["variables.f"],"0":[]}`} {
		f.Add(putOne, m, "content", "")
		f.Add(putMany, m, "content", "")
		f.Add(putLine, m, "", "")
	}
	whole := body(ops(putOne), mapped(mapOne), upload("0", "x"))
	f.Add("", "", "", whole)
	f.Add("", "", "", whole+"x")
	f.Add("", "", "", whole[:len(whole)-30])
	f.Add("", "", "", strings.Replace(whole, "filename=", `filename="../`, 1))
	f.Add("", "", "", strings.ReplaceAll(whole, "\r\n", "\n"))
	f.Fuzz(func(t *testing.T, operations, m, content, whole string) {
		if whole == "" {
			whole = body(ops(operations), mapped(m), upload("0", content))
		}
		r := httptest.NewRequestWithContext(t.Context(), "POST", "/graphql", strings.NewReader(whole))
		r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		r.Header.Set("Apollo-Require-Preflight", "1")
		rec := httptest.NewRecorder()
		w.api.ServeHTTP(rec, r)
		judged(t, rec, 200, 400, 413)
		if w.api.spool.total.left.Load() != int64(w.api.o.Limits.Uploads) || w.api.spool.memory.left.Load() != spoolMemory {
			t.Fatal("the files were not removed")
		}
	})
}

// FuzzDocument prepares anything as a document of the real schema: it ends soon, with few words, and what it takes can be begun.
func FuzzDocument(f *testing.F) {
	sdl, err := os.ReadFile("../../../docs/schema.graphqls")
	if err != nil {
		f.Fatal(err)
	}
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: string(sdl)})
	w := startEcho(f, func(o *Options) {
		o.Log = slog.New(alarm{})
		o.Schema = &echo{stub: newStub(), schema: schema}
		o.Limits.Tokens = 2000
	})
	for _, seed := range []string{
		`{ me { id } }`, `query Q($id: ID!) { node(id: $id) { __typename ... on Payment { id amount { amount currency } } } }`,
		`mutation($i: PayInput!) { pay(input: $i) { errors { ... on InputError { code } } } }`, `subscription($id: ID!) { paymentUpdated(id: $id) { id } }`,
		`query($f: OrderFilter, $n: Int = 10) { orders(filter: $f, first: $n) { edges { node { ...o } } } } fragment o on Order { id total { formatted(locale: "en") } }`,
		`{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }`, `{ __schema { types { fields { type { ofType { ofType { name } } } } } } }`,
		`{ a: __typename @skip(if: true) b: __typename @include(if: $x) }`, `query($a: Decimal = "1.5" $b: Decimal = 1.5) { __typename }`, `"""x""" query { __typename }`,
		`{ node(id: """ block \""" """) { id } }`, "{ node(id: \"\\u{1F600}\\uD83D\\uDE00\") { id } }", `{`, `query ($v: [[[[Int]]]]) { __typename }`, "\ufeff{ __typename }",
		`type Query { x: Int }`, `extend schema { query: Query }`, `query Q { __typename } query Q { __typename }`, `{ __type(name: "Query") { name } }`, `# only a comment`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		began := time.Now()
		p := &graphql.RawParams{Query: text, Variables: map[string]any{}}
		_, _, errs := w.api.begin(t.Context(), p)
		if took := time.Since(began); took > 2*time.Second {
			t.Fatal("it took ", took)
		}
		told, err := json.Marshal(errs)
		if err != nil || len(told) > 64<<10 {
			t.Fatalf("%d bytes (%v): %.500s", len(told), err, told)
		}
		for _, e := range errs {
			if e.Extensions["code"] == nil || e.Message == "" {
				t.Fatalf("%.500s", told)
			}
		}
	})
}

// FuzzSocketFrames sends frames, one a line, to a live socket. The close code is the protocol's, and what is not closed goes on.
func FuzzSocketFrames(f *testing.F) {
	w := startFuzz(f)
	for _, seed := range []string{
		hello, hello + "\n" + hello, hello + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"subscription { watch }"}}`,
		hello + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"{ take(n: 1) }"}}` + "\n" + `{"id":"1","type":"complete"}`,
		`{"id":"1","type":"subscribe","payload":{"query":"{ take }"}}`, `{"type":"ping"}`, `{"type":"ping","payload":{"a":[1]}}` + "\n" + `{"type":"pong"}`, `{"type":"start"}`,
		`{"type":"connection_init","payload":{"authorization":"Bearer me","locale":"zh-CN"}}`, `{"type":"connection_init","payload":{"authorization":"Bearer bad"}}`,
		`{"type":"connection_init","payload":[]}`, hello + "\n" + `{"type":"subscribe","payload":{"query":"{ take }"}}`, hello + "\n" + `{"id":"1","type":"subscribe"}`,
		hello + "\n" + `{"id":"1","type":"subscribe","payload":{"query":"{ nope }","variables":{"a":1}}}` + "\n" + `{"id":"2","type":"complete"}`, `{}`, `[]`, `nul`, "\x00", "\xff",
		hello + "\n" + `{"id":"1","type":"subscribe","payload":[{"query":"{ take }"}]}`, `{"type":"complete"}`, `{"type":"complete","id":"1"}`, `{"type":1}`, `{"id":1,"type":"ping"}`,
	} {
		f.Add([]byte(seed), false)
	}
	f.Add([]byte(hello), true)
	f.Fuzz(func(t *testing.T, frames []byte, binary bool) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c, _, err := websocket.Dial(ctx, w.server.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{protocol}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.CloseNow() }()
		kind := websocket.MessageText
		if binary {
			kind = websocket.MessageBinary
		}
		list := strings.SplitN(string(frames), "\n", 50)
		want, certain := expected(list, binary)
		for _, frame := range list {
			if c.Write(ctx, kind, []byte(frame)) != nil {
				break // it has closed
			}
		}
		const last = `{"type":"ping","payload":{"last":true}}`
		_ = c.Write(ctx, websocket.MessageText, []byte(last))
		for {
			_, data, err := c.Read(ctx)
			var closed websocket.CloseError
			switch {
			case errors.As(err, &closed):
				if certain && closed.Code != want {
					t.Fatalf("closed with %d (%s), not %d", closed.Code, closed.Reason, want)
				}
				switch closed.Code {
				case closeBadRequest, closeUnauthorized, closeDuplicate, closeTooManyInits, closeLater, websocket.StatusInvalidFramePayloadData, websocket.StatusMessageTooBig:
					return
				}
				t.Fatalf("closed with %d %s", closed.Code, closed.Reason)
			case err != nil:
				t.Fatal("neither answered nor closed: ", err)
			case !json.Valid(data):
				t.Fatalf("no JSON: %.300s", data)
			case string(data) == `{"type":"pong","payload":{"last":true}}`:
				if certain && want != 0 {
					t.Fatalf("not closed with %d", want)
				}
				return
			}
		}
	})
}

// expected is what the protocol says of frames (PROTOCOL.md of graphql-ws), as far as that can be told without running operations:
// the close code, 0 for a connection that stays open.
func expected(frames []string, binary bool) (code websocket.StatusCode, certain bool) {
	greeted := false
	for _, frame := range frames {
		var m struct {
			ID      *string         `json:"id"`
			Type    string          `json:"type"`
			Payload json.RawMessage `json:"payload"`
		}
		switch {
		case binary:
			return closeBadRequest, true
		case len(frame) > limits().Body || strings.ToValidUTF8(frame, "") != frame:
			return 0, false // the layer below has its own codes
		case json.Unmarshal([]byte(frame), &m) != nil:
			return closeBadRequest, true
		}
		switch m.Type {
		case "connection_init":
			if greeted && (len(m.Payload) == 0 || m.Payload[0] == '{') {
				return closeTooManyInits, true
			}
			if len(m.Payload) > 0 {
				return 0, false
			}
			greeted = true
		case "ping", "pong":
			if len(m.Payload) > 0 && m.Payload[0] != '{' {
				return 0, false
			}
		case "subscribe":
			if !greeted && m.ID != nil && *m.ID != "" && len(*m.ID) < maxOperationID {
				return closeUnauthorized, true
			}
			return 0, false
		case "complete":
			if m.ID == nil || *m.ID == "" || len(*m.ID) > maxOperationID {
				return 0, false
			}
		default:
			return closeBadRequest, true
		}
	}
	return 0, true
}
