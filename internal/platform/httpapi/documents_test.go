package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// transports send one payload, the members of a request as JSON, and give what the server says of it.
var transports = map[string]func(*testing.T, world, string) string{
	"POST": func(t *testing.T, w world, payload string) string { return w.send(t, "POST", "/graphql", payload).body },
	"GET": func(t *testing.T, w world, payload string) string {
		var members map[string]any
		if err := json.Unmarshal([]byte(payload), &members); err != nil {
			t.Fatal(err)
		}
		q := url.Values{}
		for name, value := range members {
			text, isText := value.(string)
			if !isText {
				raw, _ := json.Marshal(value)
				text = string(raw)
			}
			q.Set(name, text)
		}
		return w.send(t, "GET", "/graphql?"+q.Encode(), "", "X-Paydesk-Client", "test").body
	},
	"multipart": func(t *testing.T, w world, payload string) string {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		_ = form.WriteField("operations", payload)
		_ = form.WriteField("map", "{}")
		_ = form.Close()
		return w.send(t, "POST", "/graphql", body.String(), "Content-Type", form.FormDataContentType(), "X-Paydesk-Client", "test").body
	},
	"SSE": func(t *testing.T, w world, payload string) string {
		first := ""
		for e := range w.events(t, payload) {
			if first == "" {
				first = e
			}
		}
		return first
	},
	"WebSocket": func(t *testing.T, w world, payload string) string {
		c := w.dial(t)
		say(t, c, hello, `{"id":"1","type":"subscribe","payload":`+payload+`}`)
		hear(t, c)
		return hear(t, c)
	},
}

func everyTransport(t *testing.T, run func(t *testing.T, send func(world, string) string)) {
	t.Helper()
	for name, send := range transports {
		t.Run(name, func(t *testing.T) {
			run(t, func(w world, payload string) string { return send(t, w, payload) })
		})
	}
}

func automatic(query, hash string) string {
	payload := fmt.Sprintf(`"extensions":{"persistedQuery":{"version":1,"sha256Hash":%q}}`, hash)
	if query != "" {
		payload += fmt.Sprintf(`,"query":%q`, query)
	}
	return "{" + payload + "}"
}

// shelf is a DocumentStore for tests: what all instances share.
type shelf struct {
	mu    sync.Mutex
	texts map[string]string
	saved int
}

func (s *shelf) Load(_ context.Context, hash string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, found := s.texts[hash]
	return text, found
}

func (s *shelf) Save(_ context.Context, hash, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts == nil {
		s.texts = map[string]string{}
	}
	s.saved++
	s.texts[hash] = text
}

// What one instance was sent, each finds by its hash, over every transport.
func TestPersistedAutomaticallyEverywhere(t *testing.T) {
	everyTransport(t, func(t *testing.T, send func(world, string) string) {
		store := &shelf{}
		share := func(o *Options) { o.Documents = store }
		here, there := start(t, share), start(t, share)
		const text = "{ who }"
		hash := hashOf(text)
		wants := func(w world, payload, want string) {
			t.Helper()
			if got := send(w, payload); !strings.Contains(got, want) {
				t.Errorf("%s: %s, want %s", payload, got, want)
			}
		}
		wants(here, automatic("", hash), `"PersistedQueryNotFound"`)
		wants(here, automatic("", hash), codeNotPersisted)
		wants(here, automatic("{ hello }", hash), codeBadInput)
		wants(here, automatic(text, hash), `"nobody"`)
		wants(here, automatic("", strings.ToUpper(hash)), `"nobody"`)
		wants(there, automatic("", hash), `"nobody"`)
		wants(there, `{"documentId":"sha256:`+hash+`"}`, `"nobody"`)
		wants(there, `{"documentId":"`+hash+`"}`, `"nobody"`)
		wants(there, `{"documentId":"`+hash+`","query":"{ who }"}`, `"nobody"`)
		wants(there, `{"documentId":"`+hash+`","query":"{ hello }"}`, codeBadInput)
		wants(there, `{"documentId":"`+hashOf("other")+`",`+automatic("", hash)[1:], codeBadInput)
		wants(there, `{"documentId":"`+hashOf("other")+`"}`, codeNotPersisted)
		for _, wrong := range []string{"", "sha256:", "17", "md5:" + hash, hash + "00", strings.Repeat("g", 64)} {
			wants(there, `{"documentId":"`+wrong+`"}`, codeBadInput)
		}
		// By documentId nothing is persisted: only who asks for it with the extension gets that.
		wants(here, `{"documentId":"`+hashOf("{ locale }")+`","query":"{ locale }"}`, `"locale"`)
		wants(here, `{"documentId":"`+hashOf("{ locale }")+`"}`, codeNotPersisted)
		// Stored only when valid.
		wants(here, automatic("{ nonsense }", hashOf("{ nonsense }")), codeValidationFailed)
		if store.saved != 1 || len(store.texts) != 1 {
			t.Errorf("%d saved: %v", store.saved, store.texts)
		}
	})
}

// What comes out of the store is parsed, bounded and validated like anything else, and not kept when it is refused.
func TestStoreIsNotBelieved(t *testing.T) {
	store := &shelf{}
	w := start(t, func(o *Options) { o.Documents = store })
	for text, want := range map[string]string{
		"{ nonsense }": codeValidationFailed,
		"{":            codeValidationFailed,
		"{" + strings.Repeat(" node {", 20) + " name" + strings.Repeat("}", 21): codeTooComplex,
		"{" + strings.Repeat(" hello", 600) + "}":                               codeTooComplex,
		"{ __schema { queryType { name } } }":                                   codeValidationFailed,
	} {
		store.Save(t.Context(), hashOf(text), text)
		for range 2 {
			if a := w.send(t, "POST", "/graphql", automatic("", hashOf(text))); a.code() != want {
				t.Errorf("%.40s: %s, want %s", text, a.body, want)
			}
		}
		if w.api.docs.persisted.Contains(hashOf(text)) {
			t.Errorf("%.40s: kept", text)
		}
	}
	long := "{ who } #" + strings.Repeat("x", cacheable)
	w = start(t, func(o *Options) { o.Documents = store; o.Limits.Body = 100_000 })
	before := store.saved
	if a := w.send(t, "POST", "/graphql", automatic(long, hashOf(long))); a.json.Data["who"] == nil {
		t.Fatal(a.body)
	}
	if store.saved != before || w.api.docs.persisted.Len() != 0 {
		t.Error("a text beyond the bound was persisted")
	}
}

// A document in use is saved again now and then, so that the store does not forget what no instance asks it for.
func TestUsedDocumentsAreSavedAgain(t *testing.T) {
	store := &shelf{}
	w := start(t, func(o *Options) { o.Documents = store; o.Persisted.TTL = 50 * time.Millisecond })
	w.send(t, "POST", "/graphql", automatic("{ who }", hashOf("{ who }")))
	store.mu.Lock()
	store.texts = nil // Redis is emptied
	store.mu.Unlock()
	eventually(t, "it is saved again", func() bool {
		if a := w.send(t, "POST", "/graphql", automatic("", hashOf("{ who }"))); a.json.Data["who"] == nil {
			t.Fatal(a.body)
		}
		_, found := store.Load(t.Context(), hashOf("{ who }"))
		return found
	})
}

func registered(texts ...string) func(*Options) {
	return func(o *Options) {
		o.Persisted.Documents = map[string]string{}
		for _, text := range texts {
			o.Persisted.Documents[hashOf(text)] = text
		}
	}
}

// With Only, registered documents run over every transport, by name and by text, and nothing else does.
func TestOnlyRegistered(t *testing.T) {
	everyTransport(t, func(t *testing.T, send func(world, string) string) {
		store := &shelf{}
		known, other := "query Who { who }", "{ who }"
		w := start(t, registered(known), func(o *Options) { o.Persisted.Only, o.Documents, o.Dev = true, store, true })
		for _, payload := range []string{
			fmt.Sprintf(`{"query":%q}`, known), `{"documentId":"sha256:` + hashOf(known) + `"}`, automatic("", hashOf(known)), automatic(known, hashOf(known)),
		} {
			if got := send(w, payload); !strings.Contains(got, `"nobody"`) {
				t.Errorf("%s: %s", payload, got)
			}
		}
		store.Save(t.Context(), hashOf(other), other)
		for _, payload := range []string{
			fmt.Sprintf(`{"query":%q}`, other), fmt.Sprintf(`{"query":%q}`, known+" "), `{"query":"{ __typename }"}`, `{"query":"{"}`, `{"query":"` + hashOf(known) + `"}`,
			`{"query":"{ __schema { queryType { name } } }"}`, `{"documentId":"sha256:` + hashOf(other) + `"}`, automatic("", hashOf(other)), automatic(other, hashOf(other)),
		} {
			if got := send(w, payload); !strings.Contains(got, codeNotPersisted) || strings.Contains(got, "nobody") {
				t.Errorf("%s: %s, want %s", payload, got, codeNotPersisted)
			}
		}
		if store.saved != 1 || w.api.docs.persisted.Len() != 0 {
			t.Error("something was persisted")
		}
	})
}

func TestStatusOfUnregistered(t *testing.T) {
	for _, dev := range []bool{true, false} {
		w := start(t, func(o *Options) { o.Persisted.Only, o.Dev = true, dev })
		for accept, want := range map[string]int{mediaJSON: 200, mediaResponse: 400} {
			a := w.query(t, "{ who }", "Accept", accept)
			if a.status != want || a.code() != codeNotPersisted || a.hasData() || strings.Contains(a.body, "PAYDESK_") != dev {
				t.Errorf("%s: %d %s", accept, a.status, a.body)
			}
		}
	}
}

func TestWrongRegistered(t *testing.T) {
	for text, want := range map[string]string{
		"{ nonsense }":                        "Cannot query field",
		"{":                                   "Expected Name",
		"":                                    "query is missing",
		"fragment A on Query { who }":         "no operation",
		"{ __schema { queryType { name } } }": "introspection is off",
	} {
		_, err := newDocuments(documentOptions(registered(text)))
		if invalid, ok := err.(*InvalidDocument); !ok || invalid.Hash != hashOf(text) || !strings.Contains(err.Error(), want) { //nolint:errorlint // as it is
			t.Errorf("%s: %v", text, err)
		}
	}
	_, err := newDocuments(documentOptions(func(o *Options) { o.Persisted.Documents = map[string]string{hashOf("a"): "{ who }"} }))
	if err == nil || !strings.Contains(err.Error(), errWrongHash.Error()) {
		t.Error(err)
	}
	// Narrow limits for what comes from outside do not stop what somebody has registered.
	deep := "{ node {" + strings.Repeat(" next {", 20) + " name" + strings.Repeat("}", 22)
	w := start(t, registered(deep))
	if a := w.query(t, deep); a.code() != "" {
		t.Error(a.body)
	}
	if a := w.query(t, deep+" "); a.code() != codeTooComplex {
		t.Error(a.body)
	}
}

func documentOptions(change func(*Options)) Options {
	o := Options{Schema: newStub(), Limits: limits(), Persisted: Persisted{Cache: 10}}
	change(&o)
	return o
}

// A flood of documents that nobody will ask again evicts no registered one, and memory stays bounded.
func TestFloodEvictsNothingRegistered(t *testing.T) {
	const known = "query Who { who }"
	d, err := newDocuments(documentOptions(func(o *Options) {
		registered(known)(o)
		o.Limits.QueryCache, o.Limits.Tokens, o.Limits.Fields = 50, 2000, 5000
	}))
	if err != nil {
		t.Fatal(err)
	}
	pinned := d.registered[known]
	// Short texts that become large trees: the cache's bound is in bytes.
	flood := func(i int) string {
		var text strings.Builder
		for j := range 200 {
			fmt.Fprintf(&text, "query Q%dx%d{who}", i, j)
		}
		return text.String()
	}
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for i := range 1000 {
		if _, errs := d.read(flood(i)); len(errs) > 0 {
			t.Fatal(errs)
		}
	}
	after := heap()
	if kept, bytes := d.parsed.kept.Len(), d.parsed.bytes; bytes > 50*cacheable || kept > 50 || kept < 5 {
		t.Errorf("%d documents, %d bytes", kept, bytes)
	}
	if grown := int64(after) - int64(before); grown > 3*50*cacheable {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	if doc, errs := d.given(t.Context(), known, reference{}); len(errs) > 0 || doc != pinned {
		t.Error("the registered document was parsed again", errs)
	}
	runtime.KeepAlive(d)
}

func TestCacheIsBounded(t *testing.T) {
	c, err := newCache(2)
	if err != nil {
		t.Fatal(err)
	}
	add := func(text string) { c.add(&prepared{text: text}) }
	add("{ a }")
	add("{ b }")
	add("{ b }")
	c.get("{ a }")
	add("{ c }")
	if c.get("{ a }") == nil || c.get("{ b }") != nil || c.get("{ c }") == nil {
		t.Error("it is not the one used last that is kept")
	}
	if want := weigh("{ a }") + weigh("{ c }"); c.bytes != want {
		t.Errorf("%d bytes, want %d", c.bytes, want)
	}
	add("{" + strings.Repeat(" a", 292) + "}") // nearly all there is room for
	if c.get("{ a }") != nil || c.kept.Len() != 1 {
		t.Errorf("%d kept, %d bytes of %d", c.kept.Len(), c.bytes, c.most)
	}
	add("{" + strings.Repeat(" a", 1000) + "}") // more than there is room for
	if c.kept.Len() != 1 || c.bytes > c.most {
		t.Errorf("%d kept, %d bytes of %d", c.kept.Len(), c.bytes, c.most)
	}
}

// The executor has the document that prepare has made, whatever the cache has lost since.
func TestExecutorNeverParses(t *testing.T) {
	w := start(t, func(o *Options) { o.Limits.QueryCache = 1 })
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 50 {
				if a := w.query(t, fmt.Sprintf("query Q%dx%d { who }", i, n)); a.json.Data["who"] != "nobody" {
					t.Error(a.body)
				}
			}
		})
	}
	all.Wait()
}

func TestDeprecatedIsListed(t *testing.T) {
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: `
		type Query { old: String @deprecated new(x: Int, y: Int @deprecated): Thing }
		interface Part { name: String @deprecated }
		type Thing implements Part { name: String @deprecated next: Thing }`})
	for text, want := range map[string]string{
		"{ new { next { __typename } } }": "",
		"{ old a: old }":                  "Query.old",
		"query A { ...F new(y: 1) { next { name } } } fragment F on Query { b: old ... on Query { old } }": "Query.new(y:) Query.old Thing.name",
		"{ new { ... on Part { name } } }": "Part.name",
	} {
		doc, errs := gqlparser.LoadQueryWithRules(schema, text, rules.NewDefaultRules())
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		if got := deprecated(doc); !slices.Equal(got, strings.Fields(want)) {
			t.Errorf("%s: %v, want %s", text, got, want)
		}
	}
}
