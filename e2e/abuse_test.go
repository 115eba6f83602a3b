package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"paydesk/internal/platform/httpapi/hostile"
	"paydesk/internal/platform/testenv"
)

const (
	abuseWithin  = 2 * time.Second // an abuse is answered
	abuseBytes   = 64 << 10        // in so many bytes
	abuseMemory  = 200 << 20       // and the server grows by no more
	victimEvery  = 100 * time.Millisecond
	victimWithin = time.Second // while somebody else is answered as always
	abuseWorkers = 3           // that send every case at once, on each transport
)

// TestAbuse sends every hostile document over every transport, one after the other and then all at once, and every request
// that is hostile otherwise. Each is refused in time, clearly and briefly, and another client never notices.
func TestAbuse(t *testing.T) {
	home := testenv.Embedded(t)
	s := start(t, homeEnv(home), options{})
	slow := slowLoris(t, s, 100)
	victim := attend(t, s)
	cases := abuses()
	for _, over := range waysIn() {
		for _, c := range cases {
			t.Run(over.name+"/"+c.Name, func(t *testing.T) {
				if over.fits != nil && !over.fits(c.Text) {
					return // nothing that this transport could be sent
				}
				began := time.Now()
				a, err := over.send(s, c.Text)
				if took := time.Since(began); took > abuseWithin {
					t.Errorf("took %v", took)
				}
				a.judge(t, c.Code, err)
			})
		}
	}
	for _, c := range malformed() {
		t.Run("HTTP/"+c.name, func(t *testing.T) { c.run(t, s) })
	}
	t.Run("storm", func(t *testing.T) { storm(t, s, cases) })
	victim.judge(t)
	for name, err := range slow {
		t.Run(name+" headers and bodies are cut", func(t *testing.T) {
			if e := <-err; e != nil {
				t.Error(e)
			}
		})
	}
}

// abuses are the hostile documents, and those that only an execution refuses.
func abuses() []hostile.Document {
	list := hostile.Documents()
	each := func(format string) string {
		var b strings.Builder
		for i := range 45 {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	return append(list,
		hostile.Document{Name: "complexity", Text: "{" + each(" a%d: orders(first: 100) { edges { node { id number } } }") + " }", Code: "COMPLEXITY_LIMIT_EXCEEDED"},
		hostile.Document{Name: "an error for each alias", Text: "{" + each(" a%d: balance { version }") + " }", Code: "UNAUTHENTICATED"},
		hostile.Document{Name: "a mutation for each alias", Text: "mutation {" + each(` a%d: cancelOrder(input: {orderId: "x"}) { errors { message } }`) + " }", Code: "UNAUTHENTICATED"},
	)
}

// outcome is what came back: a refusal of the request as a whole (status, or a socket's close code), or a GraphQL answer.
type outcome struct {
	refused int // 413, 1009 …; 0 where an answer came
	body    string
}

// judge wants a clear code in few bytes. A document that is too long once it is written as JSON may be refused as too large.
func (a outcome) judge(t *testing.T, code string, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if a.refused == http.StatusRequestEntityTooLarge || a.refused == int(websocket.StatusMessageTooBig) {
		return
	}
	var answer struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal([]byte(a.body), &answer); err != nil || len(answer.Errors) == 0 {
		t.Fatalf("%d %.300s", a.refused, a.body)
	}
	first := answer.Errors[0]
	if len(a.body) > abuseBytes || first.Extensions.Code != code || first.Message == "" || len(answer.Errors) > 21 {
		t.Errorf("%d bytes, %d errors, wanted %s: %.300s", len(a.body), len(answer.Errors), code, a.body)
	}
}

// wayIn is a transport as an abuser uses it.
type wayIn struct {
	name string
	fits func(text string) bool
	send func(s *server, text string) (outcome, error)
}

func waysIn() []wayIn {
	body := func(text string) string {
		b, _ := json.Marshal(map[string]string{"query": text})
		return string(b)
	}
	return []wayIn{
		{"POST", nil, func(s *server, text string) (outcome, error) {
			return request(s, http.MethodPost, "", body(text), "application/json")
		}},
		{"GET", func(text string) bool {
			return len(url.QueryEscape(text)) < 40<<10 && !strings.HasPrefix(text, "mutation")
		}, func(s *server, text string) (outcome, error) {
			return request(s, http.MethodGet, "?query="+url.QueryEscape(text), "", "application/json")
		}},
		{"SSE", nil, func(s *server, text string) (outcome, error) {
			a, err := request(s, http.MethodPost, "", body(text), "text/event-stream")
			if _, event, ok := strings.Cut(a.body, "event: next\ndata: "); ok {
				a.body, _, _ = strings.Cut(event, "\n")
			}
			return a, err
		}},
		{"WebSocket", nil, overSocket},
	}
}

// request is one of HTTP; what comes is read to a limit that no refusal may reach.
func request(s *server, method, query, body, accept string, headers ...string) (outcome, error) {
	r, err := http.NewRequest(method, s.URL+"/graphql"+query, strings.NewReader(body))
	if err != nil {
		return outcome{}, err
	}
	r.Header.Set("Accept", accept)
	r.Header.Set("X-Paydesk-Client", "abuse")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := web.Do(r)
	if err != nil {
		return outcome{}, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	a := outcome{body: string(text)}
	if res.StatusCode != http.StatusOK {
		a.refused = res.StatusCode
	}
	return a, err
}

// overSocket sends a document on a socket of its own.
func overSocket(s *server, text string) (outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, s.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		return outcome{}, err
	}
	defer c.CloseNow()
	c.SetReadLimit(16 << 20)
	message, _ := json.Marshal(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]string{"query": text}})
	_ = c.Write(ctx, websocket.MessageText, []byte(`{"type":"connection_init"}`))
	_ = c.Write(ctx, websocket.MessageText, message)
	for {
		_, data, err := c.Read(ctx)
		var closed websocket.CloseError
		if errors.As(err, &closed) {
			return outcome{refused: int(closed.Code)}, nil
		}
		if err != nil {
			return outcome{}, err
		}
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(data, &m); err != nil {
			return outcome{}, err
		}
		switch m.Type {
		case "error":
			return outcome{body: `{"errors":` + string(m.Payload) + `}`}, nil
		case "next":
			return outcome{body: string(m.Payload)}, nil
		}
	}
}

// storm sends all cases at once, on every transport, by several workers.
func storm(t *testing.T, s *server, cases []hostile.Document) {
	before := resident(t, s)
	var most atomic.Int64
	stop := make(chan struct{})
	var watch, work sync.WaitGroup
	watch.Go(func() {
		for {
			most.Store(max(most.Load(), resident(t, s)))
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	for _, over := range waysIn() {
		for w := range abuseWorkers {
			work.Go(func() {
				for i := range cases {
					c := cases[(i+w*len(cases)/abuseWorkers)%len(cases)]
					if over.fits != nil && !over.fits(c.Text) {
						continue
					}
					a, err := over.send(s, c.Text)
					if err != nil {
						t.Errorf("%s %s: %v", over.name, c.Name, err)
					} else if len(a.body) > abuseBytes {
						t.Errorf("%s %s: %d bytes", over.name, c.Name, len(a.body))
					}
				}
			})
		}
	}
	work.Wait()
	close(stop)
	watch.Wait()
	grown := most.Load() - before
	t.Logf("%d MiB at first, %d more at most", before>>20, grown>>20)
	if grown > abuseMemory {
		t.Errorf("grew by %d MiB", grown>>20)
	}
}

// resident is the memory of the server's process, in bytes.
func resident(t *testing.T, s *server) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.cmd.Process.Pid))
	if err != nil {
		t.Error(err)
		return 0
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		var kB int64
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kB); n == 1 {
			return kB << 10
		}
	}
	return 0
}

// bystander asks for next to nothing again and again, and remembers how long the longest took.
type bystander struct {
	stop    func()
	done    chan struct{}
	asked   int
	longest time.Duration
	late    time.Duration // how late the machine itself woke us at most: it is shared with other tests
	failed  error
}

func attend(t *testing.T, s *server) *bystander {
	ctx, cancel := context.WithCancel(t.Context())
	c := &bystander{stop: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		own := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}}
		defer own.CloseIdleConnections()
		for {
			paused := time.Now()
			select {
			case <-ctx.Done():
				return
			case <-time.After(victimEvery):
				c.late = max(c.late, time.Since(paused)-victimEvery)
			}
			began := time.Now()
			res, err := own.Post(s.URL+"/graphql", "application/json", strings.NewReader(`{"query":"{ __typename }"}`))
			if err == nil {
				text, _ := io.ReadAll(res.Body)
				res.Body.Close()
				if string(text) != `{"data":{"__typename":"Query"}}` {
					err = fmt.Errorf("%s: %s", res.Status, text)
				}
			}
			c.asked, c.longest = c.asked+1, max(c.longest, time.Since(began))
			if err != nil && c.failed == nil {
				c.failed = err
			}
		}
	}()
	return c
}

func (c *bystander) judge(t *testing.T) {
	t.Helper()
	c.stop()
	<-c.done
	t.Logf("another client asked %d times and waited %v at most, on a machine that was %v late at most", c.asked, c.longest, c.late)
	if c.failed != nil || c.longest > victimWithin || c.asked == 0 {
		t.Errorf("another client waited %v: %v", c.longest, c.failed)
	}
}

// slowLoris holds connections open that send a byte now and then, half of them headers and half a body, and tells when the
// server has cut all.
func slowLoris(t *testing.T, s *server, each int) map[string]<-chan error {
	out := map[string]<-chan error{}
	for name, begin := range map[string]string{
		"slow headers": "POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"slow bodies":  "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
	} {
		var all sync.WaitGroup
		failed := make(chan error, each+1)
		for range each {
			c, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			all.Go(func() {
				defer c.Close()
				if err := drip(c, begin); err != nil {
					failed <- fmt.Errorf("%s: %w", name, err)
				}
			})
		}
		done := make(chan error, 1)
		go func() {
			all.Wait()
			close(failed)
			done <- <-failed
		}()
		out[name] = done
	}
	return out
}

// drip sends a byte each half second until the server hangs up; headers have 5 s, a body 15 s more.
func drip(c net.Conn, begin string) error {
	if _, err := io.WriteString(c, begin); err != nil {
		return err
	}
	limit := time.Now().Add(30 * time.Second)
	for b := make([]byte, 4096); time.Now().Before(limit); {
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		_, err := c.Read(b)
		var timeout net.Error
		if err == nil { // its answer: 408
			continue
		}
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			return nil
		}
		if _, err := c.Write([]byte("a")); err != nil {
			return nil
		}
	}
	return errors.New("still open after 30 s")
}

// bad is a request that never becomes an operation.
type bad struct {
	name    string
	method  string
	query   string
	body    string
	headers []string
	status  int
	code    string
}

const cardData = "4242424242424242"

func malformed() []bad {
	values := strings.Repeat("0,", 500_000)
	return []bad{
		{"no JSON", "POST", "", `{"query": "{ now }", "secret": ` + cardData + `x`, nil, 400, "BAD_USER_INPUT"},
		{"two bodies", "POST", "", `{"query":"{ now }"}{"query":"{ now }"}`, nil, 400, "BAD_USER_INPUT"},
		{"a batch", "POST", "", "[" + strings.Repeat(`{"query":"{ now }"},`, 999) + `{"query":"{ now }"}]`, nil, 400, "BAD_USER_INPUT"},
		{"too large", "POST", "", strings.Repeat(" ", 2<<20), nil, 413, "BAD_USER_INPUT"},
		{"a megabyte of brackets", "POST", "", strings.Repeat("[", 1_000_000), nil, 400, "BAD_USER_INPUT"},
		{"deep variables", "POST", "", `{"query":"{ now }","variables":` + strings.Repeat(`{"a":`, 9000) + "1" + strings.Repeat("}", 9000) + "}", nil, 400, "BAD_USER_INPUT"},
		{"many variables", "POST", "", `{"query":"{ now }","variables":{"a":[` + values + `0]}}`, nil, 400, "BAD_USER_INPUT"},
		{"many extensions", "POST", "", `{"query":"{ now }","extensions":{"a":[` + values + `0]}}`, nil, 400, "BAD_USER_INPUT"},
		{"a long operationName", "POST", "", `{"query":"{ now }","operationName":"` + strings.Repeat("x", 900_000) + `"}`, nil, 400, "BAD_USER_INPUT"},
		{"a packed body", "POST", "", `{"query":"{ now }"}`, []string{"Content-Encoding", "gzip"}, 415, "BAD_USER_INPUT"},
		{"a text", "POST", "", `{ now }`, []string{"Content-Type", "text/plain"}, 415, "BAD_USER_INPUT"},
		{"a multipart that is none", "POST", "", strings.Repeat("x", 900_000), []string{"Content-Type", "multipart/form-data; boundary=x"}, 400, "BAD_USER_INPUT"},
		{"a hash that is none", "POST", "", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("0", 900_000) + `"}}}`, nil, 400, "BAD_USER_INPUT"},
		{"an unknown hash", "POST", "", `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("0", 64) + `"}}}`, nil, 200, "PERSISTED_QUERY_NOT_FOUND"},
		{"a wrong token", "POST", "", `{"query":"{ now }"}`, []string{"Authorization", "Bearer " + strings.Repeat("x", 30_000)}, 401, "UNAUTHENTICATED"},
		{"nothing", "POST", "", ``, nil, 400, "BAD_USER_INPUT"},
		{"nothing asked", "GET", "", ``, nil, 400, "BAD_USER_INPUT"},
		{"a mutation by GET", "GET", "?query=mutation%7BcancelOrder(input:%7BorderId:%22x%22%7D)%7Berrors%7Bmessage%7D%7D%7D", ``, nil, 405, "BAD_USER_INPUT"},
		{"another method", "DELETE", "", ``, nil, 405, "BAD_USER_INPUT"},
		{"an unknown media type", "POST", "", `{"query":"{ now }"}`, []string{"Accept", "image/png"}, 406, "BAD_USER_INPUT"},
	}
}

func (c bad) run(t *testing.T, s *server) {
	began := time.Now()
	a, err := request(s, c.method, c.query, c.body, "application/json", c.headers...)
	if took := time.Since(began); took > abuseWithin {
		t.Errorf("took %v", took)
	}
	if err != nil {
		t.Fatal(err)
	}
	if a.refused != c.status && (a.refused != 0 || c.status != http.StatusOK) || strings.Contains(a.body, cardData) {
		t.Errorf("%d %.300s", a.refused, a.body)
	}
	a.refused = 0 // judged; what it says counts now
	a.judge(t, c.code, nil)
}
