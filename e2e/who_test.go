package e2e

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"paydesk/internal/platform/testenv"
)

// TestWho: which tokens a production start believes (contract §3, RFC 8725), over HTTP and on a socket.
func TestWho(t *testing.T) {
	home, k := testenv.MySQL(t), whoKeys()
	p := newProvider(t, "")
	p.publish(map[string]crypto.Signer{"rsa": k.rsa, "ec": k.ec, "ed": k.ed})
	s := start(t, productionEnv(home, "PAYDESK_JWT_JWKS_URL="+p.URL), options{})
	service := user{base: s.URL, token: rs256("rsa", "SERVICE", "")}
	one, two := openAccount(t, service), openAccount(t, service)

	t.Run("rotation", func(t *testing.T) { // first: tokens of unknown keys make us ask at most every 15 s
		p.publish(map[string]crypto.Signer{"rsa": k.rsa, "ec": k.ec, "ed": k.ed, "next": k.otherRSA})
		next := jws(map[string]any{"alg": "RS256", "kid": "next"}, claim("CREATOR", one, nil), k.otherRSA)
		if got := viewerAccount(t, user{base: s.URL, token: next}); got != one {
			t.Errorf("a new key: %q", got)
		}
		p.publish(map[string]crypto.Signer{"rsa": k.rsa, "ec": k.ec, "ed": k.ed}) // what a refresh makes of it is auth's own test
		p.fail(true)                                                              // the last keys stand
		if got := viewerAccount(t, user{base: s.URL, token: rs256("rsa", "CREATOR", two)}); got != two {
			t.Errorf("with the provider down: %q", got)
		}
	})
	t.Run("sound tokens", func(t *testing.T) { soundTokens(t, s, one) })
	t.Run("hostile tokens", func(t *testing.T) { hostileTokens(t, s, one) })
	t.Run("not in the address", func(t *testing.T) { tokensInAddresses(t, s, rs256("rsa", "CREATOR", one)) })
	t.Run("one account each", func(t *testing.T) { // again and again: from the second time on out of the cache
		a, b := user{base: s.URL, token: rs256("rsa", "CREATOR", one)}, user{base: s.URL, token: rs256("rsa", "CREATOR", two)}
		for range 5 {
			if got := viewerAccount(t, a); got != one {
				t.Fatalf("%s, want %s", got, one)
			}
			if got := viewerAccount(t, b); got != two {
				t.Fatalf("%s, want %s", got, two)
			}
		}
	})
	t.Run("closed", func(t *testing.T) { productionIsClosed(t, s, service) })
}

func viewerAccount(t testing.TB, u user) string {
	t.Helper()
	var out struct {
		Viewer struct{ Account *struct{ ID string } }
	}
	u.must(t, "{ viewer { account { id } } }", nil, &out)
	if out.Viewer.Account == nil {
		return ""
	}
	return out.Viewer.Account.ID
}

func soundTokens(t *testing.T, s *server, account string) {
	k, in := whoKeys(), func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	for name, token := range map[string]string{
		"RS256":             rs256("rsa", "CREATOR", account),
		"ES256":             jws(map[string]any{"alg": "ES256", "kid": "ec"}, claim("FINANCE", account, nil), k.ec),
		"EdDSA":             jws(map[string]any{"alg": "EdDSA", "kid": "ed", "typ": "at+jwt"}, claim("COLLABORATOR", account, nil), k.ed),
		"no kid":            jws(map[string]any{"alg": "ES256"}, claim("PARTNER", account, nil), k.ec),
		"several audiences": jws(map[string]any{"alg": "ES256"}, claim("CREATOR", account, map[string]any{"aud": []string{"shop", whoAudience}}), k.ec),
		"within the leeway": jws(map[string]any{"alg": "ES256"}, claim("CREATOR", account, map[string]any{"exp": in(-10 * time.Second), "nbf": in(10 * time.Second)}), k.ec),
	} {
		if got := viewerAccount(t, user{base: s.URL, token: token}); got != account {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// hostileTokens are refused with 401, on a socket with 4401, and nothing of them is repeated.
func hostileTokens(t *testing.T, s *server, account string) {
	k, in := whoKeys(), func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	der, _ := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	n, _ := json.Marshal(jwkOf(&k.rsa.PublicKey))
	good := claim("CREATOR", account, nil)
	h := func(more ...any) map[string]any {
		head := map[string]any{"alg": "RS256", "kid": "rsa"}
		for i := 0; i+1 < len(more); i += 2 {
			head[more[i].(string)] = more[i+1]
		}
		return head
	}
	with := func(change map[string]any) string { return jws(h(), claim("CREATOR", account, change), k.rsa) }
	for name, token := range map[string]string{
		"alg none":                    jws(h("alg", "none"), good, nil),
		"alg none, signed":            jws(h("alg", "none"), good, k.rsa),
		"HS256 by the public PEM":     jws(h("alg", "HS256"), good, public),
		"HS256 by the public DER":     jws(h("alg", "HS256"), good, der),
		"HS256 by the JWK":            jws(h("alg", "HS256"), good, n),
		"RS384":                       jws(h("alg", "RS384"), good, k.rsa),
		"PS256":                       jws(h("alg", "PS256"), good, k.rsa),
		"ES256 with the RSA key's id": jws(h("alg", "ES256"), good, k.ec),
		"RS256 by the EC key":         jws(h(), good, k.ec),
		"EdDSA said, EC signed":       jws(h("alg", "EdDSA", "kid", "ed"), good, k.ec),
		"a key of nobody's":           jws(h(), good, k.stranger),
		"an unknown kid":              jws(h("kid", "nobody"), good, k.stranger),
		"kid a path":                  jws(h("kid", "../../../../../../dev/null"), good, []byte{}),
		"kid a path, RS256":           jws(h("kid", "file:///proc/self/environ"), good, k.stranger),
		"typ of another use":          jws(h("typ", "logout+jwt"), good, k.rsa),
		"crit":                        jws(h("crit", []string{"x"}, "x", 1), good, k.rsa),
		"embedded jwk":                jws(h("kid", nil, "jwk", jwkOf(&k.stranger.PublicKey)), good, k.stranger),
		"x5u":                         jws(h("kid", nil, "x5u", s.URL+"/x"), good, k.stranger),
		"jku":                         jws(h("kid", nil, "jku", s.URL+"/x"), good, k.stranger),
		"no exp":                      with(map[string]any{"exp": nil}),
		"exp a text":                  with(map[string]any{"exp": "tomorrow"}),
		"expired":                     with(map[string]any{"exp": in(-time.Minute)}),
		"nbf in the future":           with(map[string]any{"nbf": in(time.Hour)}),
		"iat in the future":           with(map[string]any{"iat": in(time.Hour)}),
		"another issuer":              with(map[string]any{"iss": whoIssuer + "/"}),
		"another audience":            with(map[string]any{"aud": "shop"}),
		"audiences without us":        with(map[string]any{"aud": []string{"shop", "desk"}}),
		"no audience":                 with(map[string]any{"aud": nil}),
		"no role":                     with(map[string]any{"role": nil}),
		"a role of nobody's":          with(map[string]any{"role": "ROOT"}),
		"OPERATOR with an account":    with(map[string]any{"role": "OPERATOR"}),
		"CREATOR without an account":  with(map[string]any{"account": nil}),
		"huge":                        with(map[string]any{"x": strings.Repeat("x", 20_000)}),
		"signature cut":               strings.TrimRight(rs256("rsa", "CREATOR", account), "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
		"not a JWT":                   "nonsense",
		"JSON":                        `{"payload":"e30","signatures":[]}`,
	} {
		t.Run(name, func(t *testing.T) {
			res, text := s.send(t, http.MethodPost, "/graphql", `{"query":"{ viewer { userId } }"}`, "Content-Type", "application/json", "Authorization", "Bearer "+token)
			if res.StatusCode != http.StatusUnauthorized || !strings.Contains(text, `"UNAUTHENTICATED"`) || strings.Contains(text, `"data"`) ||
				!strings.HasPrefix(res.Header.Get("WWW-Authenticate"), "Bearer") {
				t.Errorf("%s %v %s", res.Status, res.Header, text)
			}
			if len(token) > 20 && strings.Contains(text, token[:20]) {
				t.Errorf("the token is repeated: %s", text)
			}
			if code := s.closedWith(t, "Bearer "+token); code != 4401 {
				t.Errorf("the socket is closed with %d", code)
			}
		})
	}
}

// send sends one request; headers are pairs of name and value.
func (s *server) send(t testing.TB, method, path, body string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	res, err := web.Transport.RoundTrip(r) // redirects are answers
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(text)
}

// closedWith is the code a socket is closed with that signs in so; 0 where it is let in.
func (s *server) closedWith(t testing.TB, authorization string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn := dial(t, ctx, s.URL)
	defer func() { _ = conn.CloseNow() }()
	init, _ := json.Marshal(map[string]any{"type": "connection_init", "payload": map[string]string{"authorization": authorization}})
	if err := conn.Write(ctx, websocket.MessageText, init); err != nil {
		t.Fatal(err)
	}
	_, _, err := conn.Read(ctx)
	return max(0, int(websocket.CloseStatus(err)))
}

// tokensInAddresses: addresses are written into logs; a token there is nobody's.
func tokensInAddresses(t *testing.T, s *server, token string) {
	query := "/graphql?query=" + url.QueryEscape("{ viewer { userId } }")
	for _, name := range []string{"access_token", "token", "authorization", "Authorization", "jwt"} {
		res, text := s.send(t, http.MethodGet, query+"&"+name+"="+url.QueryEscape(token), "", "X-Paydesk-Client", "test")
		if res.StatusCode/100 == 5 || !strings.Contains(text, "UNAUTHENTICATED") {
			t.Errorf("%s: %s %s", name, res.Status, text)
		}
	}
	res, text := s.send(t, http.MethodPost, "/graphql", `{"query":"{ viewer { userId } }"}`, "Content-Type", "application/json", "Cookie", "token="+token+"; access_token="+token)
	if !strings.Contains(text, "UNAUTHENTICATED") {
		t.Errorf("a cookie: %s %s", res.Status, text)
	}
}

// productionIsClosed: contract §6; introspection and suggestions are off.
func productionIsClosed(t *testing.T, s *server, service user) {
	for _, path := range []string{"/dev", "/dev/", "/dev/personas", "/dev/token", "/dev/clock", "/dev/messages?accountId=acc_x", "/sandbox", "/sandbox/behaviour", "/sandbox/cards",
		"/sandbox/pay/x", "/graphiql", "/graphiql/", "/graphiql/assets/x.js", "/playground", "/debug/pprof/", "/debug/vars"} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodOptions} {
			res, _ := s.send(t, method, path, `{"role":"OPERATOR"}`, "Content-Type", "application/json", "Authorization", "Bearer "+service.token)
			if res.StatusCode != http.StatusNotFound {
				t.Errorf("%s %s: %s", method, path, res.Status)
			}
		}
	}
	for _, query := range []string{`{ __schema { types { name } } }`, `{ __type(name: \"Account\") { name } }`, `{ a: __schema { queryType { name } } now }`} {
		_, text := s.send(t, http.MethodPost, "/graphql", `{"query":"`+query+`"}`, "Content-Type", "application/json", "Authorization", "Bearer "+service.token)
		if strings.Contains(text, `"data"`) || !strings.Contains(text, "GRAPHQL_VALIDATION_FAILED") {
			t.Errorf("%s: %s", query, text)
		}
	}
	for _, query := range []string{`{ viewr { userId } }`, `{ viewer { usrId } }`, `mutation { payy }`, `{ orders(fist: 1) { totalCount } }`, `{ viewer { ... on Accout { id } } }`} {
		_, text := s.send(t, http.MethodPost, "/graphql", `{"query":"`+query+`"}`, "Content-Type", "application/json", "Authorization", "Bearer "+service.token)
		if strings.Contains(text, "Did you mean") || strings.Contains(text, "viewer") {
			t.Errorf("%s: %s", query, text)
		}
	}
}

// TestKeysNotThereYet: a provider that is down at the start does not stop it; tokens are UNAVAILABLE until it is there.
func TestKeysNotThereYet(t *testing.T) {
	home, listen := testenv.MySQL(t), freeAddress(t)
	s := start(t, productionEnv(home, "PAYDESK_JWT_JWKS_URL=http://"+listen+"/keys"), options{})
	token := rs256("rsa", "SERVICE", "")
	ask := func() (*http.Response, string) {
		return s.send(t, http.MethodPost, "/graphql", `{"query":"{ viewer { userId } }"}`, "Content-Type", "application/json", "Authorization", "Bearer "+token)
	}
	if res, text := ask(); res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(text, `"UNAVAILABLE"`) || res.Header.Get("Retry-After") == "" {
		t.Errorf("%s %s", res.Status, text)
	}
	if code := s.closedWith(t, "Bearer "+token); code != int(websocket.StatusTryAgainLater) {
		t.Errorf("the socket is closed with %d", code)
	}
	newProvider(t, listen).publish(map[string]crypto.Signer{"rsa": whoKeys().rsa})
	await(t, 10*time.Second, "tokens are believed", func() (bool, error) {
		res, _ := ask()
		return res.StatusCode == http.StatusOK, nil
	})
}

// TestKeyFiles: one public key does for a JWKS; what is no public key, or a weak one, stops the start with one line that
// names the variable and says nothing of the key.
func TestKeyFiles(t *testing.T) {
	home, k := testenv.MySQL(t), whoKeys()
	write := func(kind string, der []byte) string {
		path := filepath.Join(t.TempDir(), "key.pem")
		if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	private, _ := x509.MarshalPKCS8PrivateKey(k.rsa)
	public, _ := x509.MarshalPKIXPublicKey(&k.rsa.PublicKey)
	for why, path := range map[string]string{"private key": write("PRIVATE KEY", private), "no PEM key": write("NOTHING", public)} {
		s := launch(t, productionEnv(home, "PAYDESK_JWT_KEY_FILE="+path), options{})
		select {
		case <-s.exited:
		case <-time.After(readyWithin):
			t.Fatalf("%s: it runs", why)
		}
		said := strings.TrimSpace(s.log.tail(4000))
		if s.err == nil || strings.Count(said, "\n") > 0 || !strings.Contains(said, "PAYDESK_JWT_KEY_FILE") || !strings.Contains(said, why) {
			t.Errorf("%s: %v: %s", why, s.err, said)
		}
	}
	s := start(t, productionEnv(home, "PAYDESK_JWT_KEY_FILE="+write("PUBLIC KEY", public)), options{})
	if openAccount(t, user{base: s.URL, token: rs256("any", "SERVICE", "")}) == "" {
		t.Error("a token of the key is not believed")
	}
	if code := s.closedWith(t, "Bearer "+jws(map[string]any{"alg": "HS256"}, claim("SERVICE", "", nil), public)); code != 4401 {
		t.Errorf("the public key as a secret: %d", code)
	}
}

// TestTokensEnd: a subscription ends when its token does (contract §3, lesson 24): 4401 on a socket, an error and the end of
// the stream by SSE.
func TestTokensEnd(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{})
		c := s.customer(t)
		var short struct{ Token string }
		issue := func() {
			post(t, s.URL+"/dev/token", map[string]string{"role": "CREATOR", "accountId": c.AccountID, "ttl": "2s"}, &short)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()

		issue()
		began := time.Now()
		conn := dial(t, ctx, s.URL)
		defer func() { _ = conn.CloseNow() }()
		for _, text := range []string{`{"type":"connection_init","payload":{"authorization":"Bearer ` + short.Token + `"}}`,
			`{"id":"1","type":"subscribe","payload":{"query":"subscription { balanceChanged { version } }"}}`} {
			if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
				t.Fatal(err)
			}
		}
		heard := ""
		for {
			_, text, err := conn.Read(ctx)
			if err != nil {
				if code := websocket.CloseStatus(err); code != 4401 {
					t.Errorf("closed with %d (%v) after %s", code, err, heard)
				}
				break
			}
			heard += string(text)
		}
		if !strings.Contains(heard, `"next"`) || strings.Contains(heard, `"complete"`) {
			t.Errorf("it heard %s: a client would take an end for the end of the story", heard)
		}
		if took := time.Since(began); took < time.Second || took > 8*time.Second {
			t.Errorf("it ended after %v", took)
		}

		issue()
		res, text := s.send(t, http.MethodPost, "/graphql", `{"query":"subscription { balanceChanged { version } }"}`,
			"Content-Type", "application/json", "Accept", "text/event-stream", "Authorization", "Bearer "+short.Token)
		if res.StatusCode != http.StatusOK || !strings.Contains(text, `"balanceChanged"`) || !strings.Contains(text, `"UNAUTHENTICATED"`) ||
			!strings.HasSuffix(strings.TrimSpace(text), "event: complete\ndata:") {
			t.Errorf("%s: %q", res.Status, text)
		}
		if code := s.closedWith(t, "Bearer "+short.Token); code != 4401 {
			t.Errorf("it signs in again: %d", code)
		}
	})
}
