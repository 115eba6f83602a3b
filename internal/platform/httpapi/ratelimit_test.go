package httpapi

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"paydesk/internal/platform/auth"
)

// strict counts what it is asked, and lets each name pass as often as it says.
type strict struct {
	mu        sync.Mutex
	left      map[string]int // by user or address, and "money" and "sign-in" before those; absent: as often as you like
	mutations []int
	refused   []string
	wait      time.Duration
}

func (s *strict) pass(name string) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.left[name]; ok {
		if n == 0 {
			return s.wait
		}
		s.left[name]--
	}
	return 0
}

func (s *strict) Operation(_ context.Context, v *auth.Viewer, address string) time.Duration {
	if v == nil {
		return s.pass(address)
	}
	return s.pass(v.UserID)
}

func (s *strict) Mutation(_ context.Context, v *auth.Viewer, fields int) time.Duration {
	s.mu.Lock()
	s.mutations = append(s.mutations, fields)
	s.mu.Unlock()
	return s.pass("money " + v.UserID)
}

func (s *strict) SignIn(_ context.Context, address string) time.Duration {
	return s.pass("sign-in " + address)
}

func (s *strict) Refused(_ context.Context, address string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = append(s.refused, address)
}

func startStrict(t *testing.T, left map[string]int, change ...func(*Options)) (world, *strict) {
	t.Helper()
	s := &strict{left: left, wait: 1500 * time.Millisecond}
	return start(t, append(change, func(o *Options) { o.Limiter = s })...), s
}

// isLimited: 429, RATE_LIMITED with whole seconds that are enough, and nothing was executed.
func isLimited(t *testing.T, a answer, seconds int) {
	t.Helper()
	if a.status != 429 || a.code() != codeRateLimited || a.hasData() || a.header.Get("Retry-After") != fmt.Sprint(seconds) ||
		len(a.json.Errors) != 1 || a.json.Errors[0].Extensions["retryAfter"] != float64(seconds) {
		t.Errorf("%d %v: %s", a.status, a.header, a.body)
	}
}

func TestLimitedOverHTTP(t *testing.T) {
	w, s := startStrict(t, map[string]int{"me": 0, "127.0.0.1": 0})
	for _, accept := range []string{mediaJSON, mediaResponse, mediaEvents, mediaEvents + ", " + mediaResponse + ";q=0.5"} {
		for _, who := range []string{"Bearer me", ""} {
			headers := []string{"Authorization", who, "Accept", accept, "X-Paydesk-Client", "test"}
			for _, a := range []answer{
				w.query(t, "{ hello }", headers...),
				w.send(t, "POST", "/graphql", "not even JSON", headers...), // refused before it is read
				w.send(t, "GET", "/graphql?query=%7Bhello%7D", "", headers...),
			} {
				isLimited(t, a, 2)
				if kind := a.header.Get("Content-Type"); !strings.Contains(kind, "json") || strings.Contains(kind, mediaResponse) != (accept == mediaResponse) {
					t.Errorf("Accept %s: Content-Type %s", accept, kind)
				}
			}
		}
	}
	if a := w.query(t, "{ who }", "Authorization", "Bearer another"); a.status != 200 || a.json.Data["who"] != "another" {
		t.Errorf("another user: %d %s", a.status, a.body)
	}
	s.wait = time.Millisecond // never "try again in 0 s"
	isLimited(t, w.query(t, "{ hello }", "Authorization", "Bearer me"), 1)
	if got := w.send(t, "GET", "/metrics", ""); !strings.Contains(got.body, `code="RATE_LIMITED"`) {
		t.Error("refusals are not counted")
	}
}

func TestMutationsCountByTheirRootFields(t *testing.T) {
	w, s := startStrict(t, map[string]int{"money poor": 0})
	me := []string{"Authorization", "Bearer me"}
	for text, want := range map[string]int{
		`mutation { touch }`:                      1,
		`mutation { a: touch b: touch c: touch }`: 3,
		`mutation { touch touch }`:                1, // one field, written twice
		`mutation { ...F ... { d: touch } } fragment F on Mutation { a: touch b: touch ...G } fragment G on Mutation { c: touch }`: 4,
		`mutation { a: touch @skip(if: true) b: touch c: touch @include(if: false) }`:                                              1,
	} {
		s.mutations = nil
		before := w.touched.Load()
		if a := w.query(t, text, me...); a.status != 200 || len(s.mutations) != 1 || s.mutations[0] != want || w.touched.Load()-before != int64(want) {
			t.Errorf("%s: counted %v, ran %d, want %d: %s", text, s.mutations, w.touched.Load()-before, want, a.body)
		}
	}
	s.mutations = nil
	if a := w.query(t, "{ hello }", me...); a.status != 200 || s.mutations != nil {
		t.Error("a query counts as a mutation", s.mutations)
	}
	before := w.touched.Load()
	for _, accept := range []string{mediaJSON, mediaResponse} {
		isLimited(t, w.query(t, "mutation { touch }", "Authorization", "Bearer poor", "Accept", accept), 2)
	}
	events := w.query(t, "mutation { touch }", "Authorization", "Bearer poor", "Accept", mediaEvents)
	if !strings.Contains(events.body, `event: next`) || !strings.Contains(events.body, `"retryAfter":2`) || !strings.HasSuffix(events.body, "event: complete\ndata: \n\n") {
		t.Error(events.body)
	}
	if a := w.query(t, "{ who }", "Authorization", "Bearer poor"); a.status != 200 {
		t.Errorf("reading is refused with paying: %s", a.body)
	}
	if w.touched.Load() != before {
		t.Error("a refused mutation ran")
	}
}

func TestLimitedOnSockets(t *testing.T) {
	w, _ := startStrict(t, map[string]int{"me": 2, "money me": 0, "127.0.0.1": 0})
	c := w.dial(t)
	say(t, c, `{"type":"connection_init","payload":{"authorization":"Bearer me"}}`)
	hear(t, c)
	ask := func(id, query string) string {
		say(t, c, fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%q}}`, id, query))
		return hear(t, c)
	}
	if got := ask("1", "{ who }"); !strings.Contains(got, `"data"`) {
		t.Fatal(got)
	}
	hear(t, c) // complete
	for id, query := range map[string]string{"2": "mutation { touch }"} {
		if got := ask(id, query); !strings.Contains(got, `"type":"error"`) || !strings.Contains(got, `"code":"RATE_LIMITED"`) || !strings.Contains(got, `"retryAfter":2`) {
			t.Error(got)
		}
	}
	for id, query := range map[string]string{"3": "{ who }", "4": "subscription { count(to: 1) }", "5": "this is not GraphQL"} {
		if got := ask(id, query); !strings.Contains(got, `"type":"error"`) || !strings.Contains(got, `"code":"RATE_LIMITED"`) || !strings.Contains(got, `"retryAfter":2`) {
			t.Error(got)
		}
	}
	nobody := w.dial(t)
	say(t, nobody, `{"type":"connection_init"}`, `{"id":"1","type":"subscribe","payload":{"query":"{ hello }"}}`)
	hear(t, nobody)
	if got := hear(t, nobody); !strings.Contains(got, `"code":"RATE_LIMITED"`) {
		t.Error("of nobody, by address: ", got)
	}
}

// remembering knows tokens that begin with "known", and those that it has verified.
type remembering struct{ tokens }

func (r remembering) Recall(token string) (*auth.Viewer, bool) {
	if strings.HasPrefix(token, "known") {
		v, _ := r.Verify(context.Background(), token)
		return v, true
	}
	return nil, strings.HasPrefix(token, "old")
}

func TestWrongTokensCountForTheirAddress(t *testing.T) {
	w, s := startStrict(t, map[string]int{"sign-in 127.0.0.1": 5}, func(o *Options) { o.Verifier = remembering{} })
	for range 2 {
		if a := w.query(t, "{ who }", "Authorization", "Bearer bad"); a.status != 401 {
			t.Fatal(a.body)
		}
	}
	c := w.dial(t)
	say(t, c, `{"type":"connection_init","payload":{"authorization":"Bearer bad"}}`)
	if code, _ := closes(t, c); code != closeUnauthorized {
		t.Error(code)
	}
	if len(s.refused) != 3 {
		t.Errorf("%d wrong tokens were counted, want 3", len(s.refused))
	}
	if a := w.query(t, "{ who }", "Authorization", "Bearer new"); a.status != 200 { // looked at, and right
		t.Error(a.body)
	}
	if a := w.query(t, "{ who }", "Authorization", "Bearer down"); a.status != 503 { // no keys: nobody's fault
		t.Error(a.body)
	}
	if len(s.refused) != 3 {
		t.Errorf("%d wrong tokens were counted, want 3", len(s.refused))
	}
	// Five were looked at; no more is.
	for _, token := range []string{"bad", "new", "down"} {
		for _, accept := range []string{mediaJSON, mediaResponse, mediaEvents} {
			isLimited(t, w.query(t, "{ who }", "Authorization", "Bearer "+token, "Accept", accept), 2)
		}
	}
	_, resp, err := w.tryDial(t, "Authorization", "Bearer new")
	if err == nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "2" {
		t.Error(resp, err)
	}
	c = w.dial(t)
	say(t, c, `{"type":"connection_init","payload":{"authorization":"Bearer new"}}`)
	if code, _ := closes(t, c); code != websocket.StatusTryAgainLater {
		t.Error(code)
	}
	// Who is signed in behind the same address stays so, and so does nobody.
	for token, want := range map[string]string{"known": "known", "older": "older"} {
		if a := w.query(t, "{ who }", "Authorization", "Bearer "+token); a.status != 200 || a.json.Data["who"] != want {
			t.Errorf("%s: %s", token, a.body)
		}
	}
	if a := w.query(t, "{ who }"); a.status != 200 {
		t.Error(a.body)
	}
}
