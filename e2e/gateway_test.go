package e2e

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// gateway stands between the world and a server, at the server's public address: so it sees each notification on its way,
// as the provider signed it, and may keep it back.
type gateway struct {
	*httptest.Server
	target *url.URL

	mu       sync.Mutex
	holding  bool
	captured chan notification
}

// notification is one HTTP request of a provider, and how it was answered where it was let through.
type notification struct {
	path   string
	header http.Header
	body   []byte

	status int
	answer string
}

// newGateway listens now and passes on to the server at address.
func newGateway(t testing.TB, address string) *gateway {
	t.Helper()
	target := &url.URL{Scheme: "http", Host: address}
	g := &gateway{target: target, captured: make(chan notification, 16)}
	proxy := httputil.NewSingleHostReverseProxy(target)
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isNotification(r) {
			proxy.ServeHTTP(w, r)
			return
		}
		g.notified(w, r)
	}))
	t.Cleanup(g.Close)
	return g
}

// isNotification: the providers' posts are those that are neither ours nor the sandbox's.
func isNotification(r *http.Request) bool {
	if r.Method != http.MethodPost {
		return false
	}
	for _, other := range []string{"/graphql", "/dev/", "/sandbox/"} {
		if strings.HasPrefix(r.URL.Path, other) {
			return false
		}
	}
	return true
}

func (g *gateway) notified(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	// Held back, it is acknowledged all the same, in words that fit both channels: a provider that believes so does not repeat it.
	n := notification{path: r.URL.RequestURI(), header: r.Header.Clone(), body: body, status: http.StatusOK, answer: "success"}
	g.mu.Lock()
	holding := g.holding
	g.mu.Unlock()
	if !holding {
		if n, err = g.deliver(n); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	w.WriteHeader(n.status)
	_, _ = io.WriteString(w, n.answer)
	select {
	case g.captured <- n:
	default: // nobody asked for so many
	}
}

// hold keeps notifications back from now on, or lets them through.
func (g *gateway) hold(on bool) {
	g.mu.Lock()
	g.holding = on
	g.mu.Unlock()
}

// deliver hands a notification to the server, byte for byte, and notes the answer.
func (g *gateway) deliver(n notification) (notification, error) {
	r, err := http.NewRequest(http.MethodPost, g.target.String()+n.path, bytes.NewReader(n.body))
	if err != nil {
		return n, err
	}
	r.Header = n.header.Clone()
	res, err := web.Do(r)
	if err != nil {
		return n, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	n.status, n.answer = res.StatusCode, string(text)
	return n, err
}
