package e2e

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// identities signs tokens as an identity provider does: in production there is no /dev/token.
type identities struct {
	key  ed25519.PrivateKey
	file string // of the public key
}

func newIdentities(t testing.TB) identities {
	t.Helper()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return identities{private, file}
}

// token is one of a FINANCE user of an account.
func (i identities) token(t testing.TB, sub string, account models.ID) string {
	t.Helper()
	token, err := jwt.NewBuilder().Subject(sub).Expiration(time.Now().Add(time.Hour)).
		Claim("role", "FINANCE").Claim("account", account.Encode(models.PrefixAccount)).Build()
	if err != nil {
		t.Fatal(err)
	}
	signed, err := jwt.Sign(token, jwt.WithKey(jwa.EdDSA(), i.key))
	if err != nil {
		t.Fatal(err)
	}
	return string(signed)
}

// production starts a server outside development, with some rates.
func (i identities) production(t testing.TB, home testenv.Home, rates ...string) *server {
	t.Helper()
	env := append(homeEnv(home), "PAYDESK_DEV=false", "PAYDESK_JWT_KEY_FILE="+i.file)
	return start(t, append(env, rates...), options{})
}

// alone: a server has counted by itself for a moment, for Redis was slow; then more may pass, and the next one is refused all the same.
func alone(servers ...*server) bool {
	for _, s := range servers {
		if strings.Contains(s.log.tail(1<<20), "each instance counts rate limits by itself") {
			return true
		}
	}
	return false
}

// reply is what came over HTTP.
type reply struct {
	status     int
	retryAfter int // of the error; 0: not RATE_LIMITED
	text       string
}

func (u user) over(t testing.TB, method, query, accept string) reply {
	t.Helper()
	address, body := u.base+"/graphql", []byte(nil)
	if method == http.MethodGet {
		address += "?query=" + url.QueryEscape(query)
	} else {
		body, _ = json.Marshal(map[string]string{"query": query})
	}
	r, err := http.NewRequestWithContext(t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Paydesk-Client", "e2e")
	r.Header.Set("Accept", accept)
	if u.token != "" {
		r.Header.Set("Authorization", "Bearer "+u.token)
	}
	res, text := answerTo(t, r)
	out := reply{status: res.StatusCode, text: text}
	if res.StatusCode != http.StatusTooManyRequests {
		return out
	}
	var answer struct {
		Data   *json.RawMessage
		Errors []limitedError
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil || len(answer.Errors) != 1 || answer.Data != nil ||
		res.Header.Get("Retry-After") != strconv.Itoa(answer.Errors[0].wait()) {
		t.Fatalf("%s %s: %v %s", method, accept, res.Header, text)
	}
	out.retryAfter = answer.Errors[0].wait()
	return out
}

type limitedError struct {
	Extensions struct {
		Code       string
		RetryAfter int
	}
}

// wait is retryAfter of a RATE_LIMITED, else 0.
func (e limitedError) wait() int {
	if e.Extensions.Code != "RATE_LIMITED" {
		return 0
	}
	return e.Extensions.RetryAfter
}

// onSocket is retryAfter of an operation on a WebSocket; 0 where it was served; or the code the socket was closed with.
func (u user) onSocket(t testing.TB, query string) (retryAfter int, closed websocket.StatusCode) {
	t.Helper()
	ctx := t.Context()
	conn := dial(t, ctx, u.base)
	defer func() { _ = conn.CloseNow() }()
	for _, f := range []string{fmt.Sprintf(`{"type":"connection_init","payload":{"authorization":"Bearer %s"}}`, u.token),
		fmt.Sprintf(`{"id":"1","type":"subscribe","payload":{"query":%q}}`, query)} {
		_ = conn.Write(ctx, websocket.MessageText, []byte(f)) // what went wrong is read
	}
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			if code := websocket.CloseStatus(err); code > 0 {
				return 0, code
			}
			t.Fatal(err)
		}
		var f frame
		var errs []limitedError
		if err := json.Unmarshal(text, &f); err != nil {
			t.Fatalf("%s", text)
		}
		switch f.Type {
		case "next":
			return 0, 0
		case "error":
			if err := json.Unmarshal(f.Payload, &errs); err != nil || len(errs) != 1 {
				t.Fatalf("%s", text)
			}
			return errs[0].wait(), 0
		}
	}
}

// refusedSoon wants a wait from asking: at once, or where a server counts by itself a few tries later.
func refusedSoon(t *testing.T, what string, ask func() (wait int)) {
	t.Helper()
	for range 4 {
		if ask() > 0 {
			return
		}
	}
	t.Errorf("%s: not RATE_LIMITED", what)
}

const anything = "{ __typename }"

func TestRateOfUsersAndAccounts(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ids, account := newIdentities(t), models.NewID()
		rates := []string{"PAYDESK_RATE_USER=3", "PAYDESK_RATE_ACCOUNT=5"}
		one, two := ids.production(t, home, rates...), ids.production(t, home, rates...)
		first := func(s *server) user { return user{s.URL, ids.token(t, "first", account)} }
		// Both instances together pass three, and then one each 20 s; and five of the account.
		spend := func(u func(*server) user, want int) (last reply) {
			t.Helper()
			passed, began := 0, time.Now()
			for last.status != http.StatusTooManyRequests {
				for _, s := range []*server{one, two} {
					if last = u(s).over(t, "POST", anything, "application/json"); last.status == http.StatusOK {
						passed++
					}
				}
				if passed > 10*want {
					t.Fatalf("%d passed, want %d", passed, want)
				}
			}
			if most := want + int(time.Since(began)/(12*time.Second)); (passed < want || passed > most) && !alone(one, two) {
				t.Errorf("%d passed, want %d", passed, want)
			}
			return last
		}
		if r := spend(first, 3); r.retryAfter < 1 || r.retryAfter > 21 {
			t.Errorf("retryAfter %d, want about 20", r.retryAfter)
		}
		for _, accept := range []string{"application/json", "application/graphql-response+json", "text/event-stream"} {
			for _, method := range []string{"POST", "GET"} {
				refusedSoon(t, method+" "+accept, func() int { return first(two).over(t, method, anything, accept).retryAfter })
			}
		}
		for _, query := range []string{anything, "subscription { balanceChanged { available { amount } } }"} {
			refusedSoon(t, query, func() int { wait, _ := first(one).onSocket(t, query); return wait })
		}
		spend(func(s *server) user { return user{s.URL, ids.token(t, "second", account)} }, 2)
		stranger := user{one.URL, ids.token(t, "stranger", models.NewID())}
		if r := stranger.over(t, "POST", anything, "application/json"); r.status != http.StatusOK {
			t.Errorf("another account: %d %s", r.status, r.text)
		}
		spend(func(s *server) user { return user{base: s.URL} }, 3) // nobody, by address
		if r := stranger.over(t, "POST", anything, "application/json"); r.status != http.StatusOK {
			t.Errorf("another account from the address that asks too often: %d %s", r.status, r.text)
		}
	})
}

func TestRateOfMoney(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ids := newIdentities(t)
		s := ids.production(t, home, "PAYDESK_RATE_MONEY=40")
		u := user{s.URL, ids.token(t, "payer", models.NewID())}
		cancel := func(times int) string {
			text := "mutation {"
			for i := range times {
				text += fmt.Sprintf(` a%d: cancelOrder(input: {orderId: "x"}) { errors { code } }`, i)
			}
			return text + " }"
		}
		ask := func(times int) reply { t.Helper(); return u.over(t, "POST", cancel(times), "application/json") }
		if r := ask(30); r.status != http.StatusOK || r.retryAfter != 0 {
			t.Fatal(r)
		}
		refusedSoon(t, "30 more of 40 mutations", func() int { return ask(30).retryAfter })
		var last reply
		for last = ask(1); last.retryAfter == 0; {
			last = ask(1)
		}
		if last.retryAfter > 3 {
			t.Errorf("retryAfter %d, want at most 2, for one comes each 1.5 s", last.retryAfter)
		}
		if r := u.over(t, "POST", anything, "application/json"); r.status != http.StatusOK {
			t.Errorf("reading ends with paying: %+v", r)
		}
		refusedSoon(t, "as events", func() int {
			return strings.Count(u.over(t, "POST", cancel(20), "text/event-stream").text, `"retryAfter":`)
		})
		refusedSoon(t, "on a socket", func() int { wait, _ := u.onSocket(t, cancel(20)); return wait })
		// What retryAfter says is true.
		time.Sleep(time.Duration(last.retryAfter) * time.Second)
		if r := ask(1); r.status != http.StatusOK {
			t.Errorf("after %d s: %+v", last.retryAfter, r)
		}
	})
}

func TestRateOfWrongTokens(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ids, account := newIdentities(t), models.NewID()
		s := ids.production(t, home, "PAYDESK_RATE_SIGN_IN=3")
		known := user{s.URL, ids.token(t, "known", account)}
		if r := known.over(t, "POST", anything, "application/json"); r.status != http.StatusOK {
			t.Fatal(r)
		}
		refused, last := 0, reply{}
		for last.status != http.StatusTooManyRequests && refused < 50 {
			last = user{s.URL, newIdentities(t).token(t, fmt.Sprint("forger ", refused), account)}.over(t, "POST", anything, "application/json")
			if last.status == http.StatusUnauthorized {
				refused++
			}
		}
		if refused < 3 || refused > 3 && !alone(s) || last.retryAfter < 1 || last.retryAfter > 21 {
			t.Errorf("%d wrong tokens were looked at, want 3; then retryAfter %d", refused, last.retryAfter)
		}
		if r := known.over(t, "POST", anything, "application/json"); r.status != http.StatusOK {
			t.Errorf("who is signed in: %d %s", r.status, r.text)
		}
		fresh := user{s.URL, ids.token(t, "fresh", account)}
		if _, closed := fresh.onSocket(t, anything); closed != websocket.StatusTryAgainLater && !alone(s) {
			t.Errorf("a socket with a token that is not looked at: closed %d, want 1013", closed)
		}
	})
}
