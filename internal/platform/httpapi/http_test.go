package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

const response = "application/graphql-response+json"

// GraphQL over HTTP, §6: both media types with their statuses; no data where nothing was executed.
func TestPostStatuses(t *testing.T) {
	w := start(t)
	for name, c := range map[string]struct {
		body         string
		asJSON, asGR int
		code         string
		data         bool
	}{
		"good":               {`{"query":"{ hello }"}`, 200, 200, "", true},
		"variables":          {`{"query":"query($n:String){ hello(name:$n) }","variables":{"n":"x"}}`, 200, 200, "", true},
		"nulls":              {`{"query":"{ hello }","variables":null,"operationName":null,"extensions":null}`, 200, 200, "", true},
		"unknown members":    {`{"query":"{ hello }","id":7}`, 200, 200, "", true},
		"field error":        {`{"query":"{ fail hello }"}`, 200, 200, "INTERNAL", true},
		"parse error":        {`{"query":"{ hello"}`, 200, 400, codeValidationFailed, false},
		"validation error":   {`{"query":"{ nothing }"}`, 200, 400, codeValidationFailed, false},
		"which operation":    {`{"query":"query A { hello } query B { hello }"}`, 200, 400, codeValidationFailed, false},
		"coercion error":     {`{"query":"query($b:Int!){ big(bytes:$b) }","variables":{"b":"x"}}`, 200, 400, codeBadInput, false},
		"no query":           {`{}`, 400, 400, codeBadInput, false},
		"empty query":        {`{"query":""}`, 400, 400, codeBadInput, false},
		"query is a number":  {`{"query":1}`, 400, 400, codeBadInput, false},
		"variables a list":   {`{"query":"{ hello }","variables":[1]}`, 400, 400, codeBadInput, false},
		"extensions a text":  {`{"query":"{ hello }","extensions":"x"}`, 400, 400, codeBadInput, false},
		"a batch":            {`[{"query":"{ hello }"}]`, 400, 400, codeBadInput, false},
		"not JSON":           {`{"query":"{ hello }", cvc:123}`, 400, 400, codeBadInput, false},
		"trailing garbage":   {`{"query":"{ hello }"} {}`, 400, 400, codeBadInput, false},
		"nothing":            {``, 400, 400, codeBadInput, false},
		"a subscription":     {`{"query":"subscription { count(to:1) }"}`, 400, 400, codeBadInput, false},
		"long operationName": {`{"query":"{ hello }","operationName":"` + strings.Repeat("x", 300) + `"}`, 400, 400, codeBadInput, false},
	} {
		for media, want := range map[string]int{mediaJSON: c.asJSON, response: c.asGR} {
			a := w.send(t, "POST", "/graphql", c.body, "Accept", media)
			if a.status != want || a.code() != c.code || a.hasData() != c.data {
				t.Errorf("%s as %s: %d %s", name, media, a.status, a.body)
			}
			if kind := a.header.Get("Content-Type"); kind != media+"; charset=utf-8" {
				t.Errorf("%s: %s", name, kind)
			}
		}
	}
}

// A body may hold a card number: nothing of it comes back.
func TestBodyIsNeverEchoed(t *testing.T) {
	w := start(t)
	for _, body := range []string{`{"query": 4242424242424242}`, `4242424242424242`, `{"query":"{ hello }","variables":"4242424242424242"}`, `{4242424242424242`} {
		if a := w.send(t, "POST", "/graphql", body); strings.Contains(a.body, "4242") || a.status != 400 {
			t.Error(a.body)
		}
	}
}

func TestNegotiation(t *testing.T) {
	w := start(t)
	for accept, want := range map[string]string{
		"": mediaJSON, "*/*": mediaJSON, "application/*": mediaJSON, mediaJSON: mediaJSON, response: response,
		response + ", " + mediaJSON + ";q=0.9": response, mediaJSON + ", " + response: response,
		mediaJSON + ", " + response + ";q=0.5": mediaJSON, "text/html, */*;q=0.1": mediaJSON,
		"APPLICATION/JSON; charset=UTF-8": mediaJSON, "text/html": "", "application/json;charset=latin1": "", "application/json;q=0": "",
	} {
		a := w.query(t, "{ hello }", "Accept", accept)
		if want == "" {
			if a.status != http.StatusNotAcceptable || len(a.json.Errors) != 1 {
				t.Errorf("%q: %d %s", accept, a.status, a.body)
			}
		} else if got, _, _ := strings.Cut(a.header.Get("Content-Type"), ";"); a.status != 200 || got != want {
			t.Errorf("%q: %d %s", accept, a.status, got)
		}
	}
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, w.server.URL+"/graphql", strings.NewReader(`{"query":"{ hello }"}`))
	r.Header = http.Header{"Accept": {"text/html", response}, "Content-Type": {mediaJSON}} // a list may come in several lines (RFC 9110 §5.3)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Type"), response) {
		t.Error("Accept in two lines:", resp.Status, resp.Header.Get("Content-Type"))
	}
	for kind, want := range map[string]int{
		"application/json; charset=utf-8": 200, "Application/JSON;charset=UTF-8": 200, "application/json; charset=latin1": 415,
		"application/graphql": 415, "text/html": 415, "application/jsonx": 415,
	} {
		if a := w.query(t, "{ hello }", "Content-Type", kind); a.status != want {
			t.Errorf("%q: %d", kind, a.status)
		}
	}
	for _, method := range []string{"PUT", "DELETE", "BREW"} {
		if a := w.send(t, method, "/graphql", ""); a.status != 405 || a.header.Get("Allow") != "GET, POST" || len(a.json.Errors) != 1 {
			t.Error(method, a.status, a.header, a.body)
		}
	}
}

func TestGet(t *testing.T) {
	w := start(t)
	get := func(query string, more ...string) answer {
		return w.send(t, "GET", "/graphql?"+query, "", append([]string{"X-Paydesk-Client", "test"}, more...)...)
	}
	q := url.QueryEscape
	if a := get("query=" + q("query($n:String){hello(name:$n)}") + "&variables=" + q(`{"n":"x"}`)); a.status != 200 || a.json.Data["hello"] != "hello x" {
		t.Error(a.body)
	}
	for name, c := range map[string]struct {
		query string
		want  int
	}{
		"a mutation":     {"query=" + q("mutation { touch }"), 405},
		"chosen by name": {"query=" + q("query A { hello } mutation B { touch }") + "&operationName=B", 405},
		"a subscription": {"query=" + q("subscription { count(to:1) }"), 405},
		"none":           {"", 400},
		"bad variables":  {"query=" + q("{ hello }") + "&variables=x", 400},
		"trailing":       {"query=" + q("{ hello }") + "&variables=" + q("{} x"), 400},
		"malformed":      {"query=%zz", 400},
	} {
		if a := get(c.query); a.status != c.want || c.want == 405 && a.header.Get("Allow") != "POST" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if n := w.touched.Load(); n != 0 {
		t.Fatal("a GET had an effect", n)
	}
}

// contract §2: what a browser may send across sites without a preflight is refused.
func TestCrossSite(t *testing.T) {
	w := start(t)
	get := "/graphql?query=%7Bhello%7D"
	for name, c := range map[string]struct {
		method, path string
		headers      []string
		want         int
	}{
		"GET":                 {"GET", get, nil, 403},
		"GET by a form":       {"GET", get, []string{"Content-Type", "text/plain"}, 403},
		"GET cross-site":      {"GET", get, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"GET same-origin":     {"GET", get, []string{"Sec-Fetch-Site", "same-origin"}, 200},
		"GET Apollo":          {"GET", get, []string{"Apollo-Require-Preflight", "true"}, 200},
		"GET ours":            {"GET", get, []string{"X-Paydesk-Client", "console"}, 200},
		"GET with a token":    {"GET", get, []string{"Authorization", "Bearer me"}, 200},
		"POST text":           {"POST", "/graphql", []string{"Content-Type", "text/plain"}, 403},
		"POST a form":         {"POST", "/graphql", []string{"Content-Type", "application/x-www-form-urlencoded"}, 403},
		"POST multipart":      {"POST", "/graphql", []string{"Content-Type", "multipart/form-data; boundary=x"}, 403},
		"POST without a type": {"POST", "/graphql", []string{"Content-Type", ""}, 403},
		"POST nonsense":       {"POST", "/graphql", []string{"Content-Type", "text/plain; ; ="}, 403},
		"POST JSON":           {"POST", "/graphql", nil, 200},
	} {
		if a := w.send(t, c.method, c.path, `{"query":"{ hello }"}`, c.headers...); a.status != c.want {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

func TestCORS(t *testing.T) {
	w := start(t)
	preflight := func(origin string) answer {
		return w.send(t, "OPTIONS", "/graphql", "", "Origin", origin, "Access-Control-Request-Method", "POST",
			"Access-Control-Request-Headers", "authorization,content-type,x-paydesk-client")
	}
	if a := preflight("https://console.example"); a.header.Get("Access-Control-Allow-Origin") != "https://console.example" ||
		a.header.Get("Access-Control-Allow-Credentials") != "" {
		t.Error(a.status, a.header)
	}
	for _, origin := range []string{"https://evil.example", "http://console.example", "null", "https://console.example.evil.example"} {
		if a := preflight(origin); a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Error(origin, "may call")
		}
	}
	if a := w.query(t, "{ hello }", "Origin", "https://console.example"); a.header.Get("Access-Control-Allow-Origin") != "https://console.example" {
		t.Error(a.header)
	}
	alone := start(t, func(o *Options) { o.Origins = nil })
	if a := alone.query(t, "{ hello }", "Origin", "https://console.example"); a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Error("the same origin is not alone")
	}
}

func TestWhoAndWhichLanguage(t *testing.T) {
	w := start(t)
	for _, c := range []struct{ auth, language, who, locale string }{
		{"", "", "nobody", "en"}, {"Bearer me", "", "me", "zh-Hant"}, {"bearer  me", "zh-CN", "me", "zh-Hans"},
		{"Bearer me", "fr", "me", "zh-Hant"}, {"", "zh-HK", "nobody", "zh-Hant"},
	} {
		a := w.query(t, "{ who locale }", "Authorization", c.auth, "Accept-Language", c.language)
		if a.json.Data["who"] != c.who || a.json.Data["locale"] != c.locale {
			t.Errorf("%+v: %s", c, a.body)
		}
	}
	for header, want := range map[string]int{"Bearer bad": 401, "Basic x": 401, "Bearer": 401, "Bearer down": 503} {
		a := w.query(t, "{ who }", "Authorization", header)
		code := map[int]string{401: codeUnauthenticated, 503: codeUnavailable}[want]
		if a.status != want || a.code() != code || a.hasData() || a.json.Errors[0].Message == "" {
			t.Errorf("%s: %d %s", header, a.status, a.body)
		}
	}
}

func TestLimits(t *testing.T) {
	w := start(t)
	deep := strings.Repeat("{ node { next ", 1) + strings.Repeat("{ next ", 14) + "{ name }" + strings.Repeat("}", 14) + " } }"
	var bomb strings.Builder
	bomb.WriteString("{ node { ...f0 } }")
	for i := range 26 {
		fmt.Fprintf(&bomb, " fragment f%d on Node { ...f%d ...f%d }", i, i+1, i+1)
	}
	bomb.WriteString(" fragment f26 on Node { name }")
	var aliases strings.Builder
	for i := range 11 {
		fmt.Fprintf(&aliases, "a%d: hello ", i)
	}
	for name, c := range map[string]struct{ query, code string }{
		"depth":              {deep, codeTooComplex},
		"fragments":          {bomb.String(), codeTooComplex},
		"aliases":            {"{ " + aliases.String() + "}", codeTooComplex},
		"tokens":             {"{ " + strings.Repeat("hello ", 600) + "}", codeTooComplex},
		"brackets":           {strings.Repeat("{", 15_000), codeValidationFailed},
		"directives":         {"{ hello " + strings.Repeat("@x ", 200) + "}", codeTooComplex},
		"equal fields":       {"{ " + strings.Repeat("nope ", 400) + "}", codeTooComplex},
		"long name":          {"{ " + strings.Repeat("n", 15_000) + "}", codeTooComplex},
		"cycle":              {"{ node { ...a } } fragment a on Node { ...b } fragment b on Node { ...a }", codeValidationFailed},
		"introspection":      {"{ __schema { queryType { name } } }", codeValidationFailed},
		"hidden in a spread": {"{ ...f } fragment f on Query { __type(name:\"Query\") { name } }", codeValidationFailed},
	} {
		began := time.Now()
		a := w.query(t, c.query)
		if a.status != 200 || a.code() != c.code || len(a.body) > 16<<10 || time.Since(began) > 2*time.Second {
			t.Errorf("%s: %d, %d bytes, %s", name, a.status, len(a.body), a.body[:min(300, len(a.body))])
		}
	}
	if a := w.query(t, "{ heloo }"); strings.Contains(a.body, "Did you mean") {
		t.Error("production suggests:", a.body)
	}
	if a := w.query(t, "{ hello }"+strings.Repeat(" ", 30_000)); a.status != 413 || a.code() != codeBadInput {
		t.Error("body:", a.status, a.body)
	}
	if a := w.query(t, "{ __typename }"); a.status != 200 {
		t.Error("unharmed?", a.body)
	}
	dev := start(t, func(o *Options) { o.Dev = true })
	if a := dev.query(t, "{ __schema { queryType { name } } }"); a.code() != "" {
		t.Error("development introspects:", a.body)
	}
	if a := dev.query(t, "{ heloo }"); !strings.Contains(a.body, "Did you mean") {
		t.Error("development does not suggest:", a.body)
	}
}

func TestChunkedBodyIsBoundedToo(t *testing.T) {
	w := start(t)
	r, _ := http.NewRequestWithContext(t.Context(), "POST", w.server.URL+"/graphql", io.LimitReader(neverending('x'), 1<<20))
	r.Header.Set("Content-Type", mediaJSON)
	resp, err := http.DefaultClient.Do(r)
	if err != nil { // the server may cut before all is sent
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatal(resp.StatusCode)
	}
}

type neverending byte

func (b neverending) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b)
	}
	return len(p), nil
}

func TestAutomaticPersistedQueries(t *testing.T) {
	w := start(t)
	send := func(query, text, version string) answer {
		sum := sha256.Sum256([]byte(text))
		body := fmt.Sprintf(`{"extensions":{"persistedQuery":{"version":%s,"sha256Hash":%q}}`, version, hex.EncodeToString(sum[:]))
		if query != "" {
			body += fmt.Sprintf(`,"query":%q`, query)
		}
		return w.send(t, "POST", "/graphql", body+"}")
	}
	if a := send("", "{ hello }", "1"); a.code() != codeNotPersisted || a.json.Errors[0].Message != "PersistedQueryNotFound" || a.status != 200 {
		t.Fatal(a.status, a.body)
	}
	if a := send("{ hello }", "{ hello }", "1"); a.json.Data["hello"] == nil {
		t.Fatal(a.body)
	}
	if a := send("", "{ hello }", "1"); a.json.Data["hello"] == nil {
		t.Fatal(a.body)
	}
	if a := send("{ who }", "{ hello }", "1"); a.code() != codeBadInput || a.status != 400 {
		t.Fatal(a.body)
	}
	if a := send("{ hello }", "{ hello }", "2"); a.code() != codeBadInput {
		t.Fatal(a.body)
	}
	send("{ nonsense }", "{ nonsense }", "1")
	if a := send("", "{ nonsense }", "1"); a.code() != codeNotPersisted {
		t.Fatal("stored although it is not valid:", a.body)
	}
}

func TestPanicIsMasked(t *testing.T) {
	w := start(t, func(o *Options) {
		o.Page = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("secret of the inside") })
	})
	for _, a := range []answer{w.query(t, "{ boom }", requestIDHeader, "abc-1"), w.send(t, "GET", "/x", "", requestIDHeader, "abc-1")} {
		if strings.Contains(a.body, "secret") || a.code() != codeInternal || a.status != 500 ||
			a.json.Errors[0].Extensions["requestId"] != "abc-1" || a.header.Get(requestIDHeader) != "abc-1" {
			t.Errorf("%d %s", a.status, a.body)
		}
	}
}

func TestRequestIDs(t *testing.T) {
	w := start(t)
	for given, kept := range map[string]bool{"a.b-C_9": true, "": false, strings.Repeat("x", 65): false, "a b": false, "<x>": false} {
		got := w.query(t, "{ hello }", requestIDHeader, given).header.Get(requestIDHeader)
		if (got == given) != kept || got == "" {
			t.Errorf("%q became %q", given, got)
		}
	}
	h := w.query(t, "{ hello }").header
	if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("X-Frame-Options") != "DENY" || h.Get("Cache-Control") != "no-store" {
		t.Error(h)
	}
}

func TestOperationTimeout(t *testing.T) {
	w := start(t, func(o *Options) { o.Timeouts.OperationTimeout = 50 * time.Millisecond })
	began := time.Now()
	w.query(t, "{ block }")
	if time.Since(began) > 250*time.Millisecond {
		t.Fatal("it ran on")
	}
}

// A client that hangs up does not stop a mutation halfway.
func TestMutationOutlivesItsClient(t *testing.T) {
	w := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	r, _ := http.NewRequestWithContext(ctx, "POST", w.server.URL+"/graphql", strings.NewReader(`{"query":"mutation { slowTouch }"}`))
	r.Header.Set("Content-Type", mediaJSON)
	go func() { <-w.blocked; cancel() }()
	if _, err := http.DefaultClient.Do(r); !errors.Is(err, context.Canceled) { //nolint:bodyclose // there is none
		t.Fatal(err)
	}
	eventually(t, "the mutation ends", func() bool { return w.touched.Load() == 1 })
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: ", what)
		}
	}
}

func TestGzip(t *testing.T) {
	r, _ := http.NewRequest("POST", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip, br")
	for address, want := range map[string]bool{"127.0.0.1:5": false, "[::1]:5": false, "10.0.0.1:5": true} {
		if r.RemoteAddr = address; wantsGzip(r) != want {
			t.Error(address)
		}
	}
	b := getBuffer()
	b.WriteString(strings.Repeat("hello ", 1000))
	if z := pack(b); z == nil || z.Len() > 500 {
		t.Error("not packed")
	}
}

func TestHealth(t *testing.T) {
	var broken error
	w := start(t, func(o *Options) {
		o.Ready = []Check{{"database", func(context.Context) error { return nil }}, {"redis", func(context.Context) error { return broken }}}
	})
	if a := w.send(t, "GET", "/healthz", ""); a.status != 200 {
		t.Error(a.body)
	}
	if a := w.send(t, "GET", "/readyz", ""); a.status != 200 {
		t.Error(a.body)
	}
	broken = errors.New("redis://:s3cret@h refused")
	if a := w.send(t, "GET", "/readyz", ""); a.status != 503 || !strings.Contains(a.body, `"notReady":["redis"]`) || strings.Contains(a.body, "s3cret") {
		t.Error(a.body)
	}
	w.query(t, "query Mine { hello }")
	w.query(t, "{ nothing }")
	metrics := w.send(t, "GET", "/metrics", "").body
	for _, want := range []string{`paydesk_graphql_requests_total{code="OK",operation="Mine"} 1`,
		`paydesk_graphql_requests_total{code="GRAPHQL_VALIDATION_FAILED",operation="none"} 1`, "paydesk_websockets 0", "paydesk_subscriptions 0"} {
		if !strings.Contains(metrics, want) {
			t.Error("no ", want)
		}
	}
}

// contract §6: a production start serves 404 for all of them.
func TestDevelopmentEndpoints(t *testing.T) {
	yes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) })
	mount := func(dev bool) func(*Options) {
		return func(o *Options) { o.Dev, o.Develop, o.Sandbox, o.GraphiQL, o.Page = dev, yes, yes, yes, yes }
	}
	development, production := start(t, mount(true)), start(t, mount(false))
	for _, path := range []string{"/dev/personas", "/dev/clock", "/sandbox/behaviour", "/sandbox/a/b", "/graphiql", "/graphiql/x.js"} {
		if a := development.send(t, "GET", path, ""); a.status != 200 || a.body != path {
			t.Error(path, a.status, a.body)
		}
		for _, method := range []string{"GET", "POST"} {
			if a := production.send(t, method, path, ""); a.status != 404 {
				t.Error("production:", path, a.status)
			}
		}
	}
	if a := production.send(t, "GET", "/anything", ""); a.status != 200 {
		t.Error("the page:", a.status)
	}
	if a := development.send(t, "POST", "/dev/clock", "{}", "Origin", "https://evil.example"); a.status != 403 {
		t.Error("another site moves the clock:", a.status)
	}
	if a := development.send(t, "POST", "/dev/clock", "{}", "Origin", development.server.URL); a.status != 200 {
		t.Error("our own page may:", a.status)
	}
}

// Slow headers and slow bodies are cut (serve.go), a running request ends before the process does.
func TestServe(t *testing.T) {
	w := start(t, func(o *Options) {
		o.Timeouts.HeaderTimeout, o.Timeouts.BodyTimeout = 200*time.Millisecond, 200*time.Millisecond
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.api.Serve(ctx, l) }()
	for name, sent := range map[string]string{
		"headers": "POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"body":    "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
	} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, sent)
		_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
		if answer, err := io.ReadAll(c); err != nil {
			t.Errorf("slow %s: held (%v) %s", name, err, answer)
		}
		_ = c.Close()
	}
	type result struct {
		body string
		err  error
	}
	running := make(chan result, 1)
	go func() {
		resp, err := http.Post("http://"+l.Addr().String()+"/graphql", mediaJSON, strings.NewReader(`{"query":"mutation { slowTouch }"}`))
		if err != nil {
			running <- result{err: err}
			return
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		running <- result{string(b), err}
	}()
	<-w.blocked
	stop()
	if r := <-running; r.err != nil || !strings.Contains(r.body, `"slowTouch":1`) {
		t.Error("a running request was cut:", r)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}
