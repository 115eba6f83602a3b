package guard

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The most that is read of a provider's answer, and of a file that it offers, in bytes. More is an error, never a shorter answer.
const (
	maxAnswer = 1 << 20
	maxFile   = 64 << 20
)

// Client derives the client an adapter uses: bounded in time and size, following no redirect, and in sandbox mode going through no
// proxy. Each request's address has to fit the mode, and so has what its name resolves to; what is refused is an error of dialling
// (channel.ErrUnavailable). The given one is left as it is; nil means a fresh one. A given *http.Transport is copied, for a client
// certificate; any other is taken as it is, behind the check of the address.
func Client(mode Mode, given *http.Client) *http.Client {
	return client(mode, given, maxAnswer, Timeout)
}

// FileClient is a Client for statements: it takes answers of up to 64 MiB, and FileTimeout for each.
func FileClient(mode Mode, given *http.Client) *http.Client {
	return client(mode, given, maxFile, FileTimeout)
}

func client(mode Mode, given *http.Client, limit int64, longest time.Duration) *http.Client {
	c := &http.Client{}
	if given != nil {
		*c = *given
	}
	if c.Timeout <= 0 || c.Timeout > longest {
		c.Timeout = longest
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	next := c.Transport
	switch t := next.(type) {
	case nil:
		next = transport(mode, http.DefaultTransport.(*http.Transport).Clone())
	case *http.Transport:
		next = transport(mode, t.Clone())
	}
	c.Transport = guarded{mode, limit, next}
	return c
}

// transport makes t dial what fits the mode only.
func transport(mode Mode, t *http.Transport) *http.Transport {
	own := net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}
	checked := own
	checked.Control = func(_, address string, _ syscall.RawConn) error { return reachable(mode, address) }
	t.TLSHandshakeTimeout = 5 * time.Second
	t.MaxIdleConnsPerHost = 32
	t.DialTLSContext = nil // a given one would go past the check
	if mode == Sandbox {
		t.Proxy = nil
	}
	// A proxy is the operator's and may stand on this machine; what is asked of it is judged by its written address.
	var proxies sync.Map
	if choose := t.Proxy; choose != nil {
		t.Proxy = func(r *http.Request) (*url.URL, error) {
			u, err := choose(r)
			if u != nil {
				proxies.Store(hostPort(u), true)
			}
			return u, err
		}
	}
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if _, ok := proxies.Load(address); ok {
			return own.DialContext(ctx, network, address)
		}
		return checked.DialContext(ctx, network, address)
	}
	return t
}

// hostPort is how a transport dials a proxy.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// reachable judges the address that is about to be connected to, after every resolving: in sandbox mode loopback only, in
// production neither loopback nor link-local, where clouds keep their secrets.
func reachable(mode Mode, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return errors.New("guard: an address that is none")
	}
	ip := at.Addr()
	switch {
	case mode == Sandbox && !local(ip):
		return errors.New("guard: sandbox mode reaches this machine only")
	case mode != Sandbox && (local(ip) || ip.Unmap().IsLinkLocalUnicast()):
		return errors.New("guard: production never reaches this machine")
	}
	return nil
}

// guarded judges each request's address, sends it once and bounds the answer; the SDKs read answers whole.
type guarded struct {
	mode  Mode
	limit int64
	next  http.RoundTripper
}

// RoundTrip sends the request if its address fits.
func (g guarded) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := fits(g.mode, r.URL); err != nil {
		if r.Body != nil {
			r.Body.Close()
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: err} // nothing was sent
	}
	res, err := g.next.RoundTrip(once(r))
	if err != nil {
		return nil, err
	}
	res.Body = http.MaxBytesReader(nil, res.Body, g.limit)
	return res, nil
}

// once gives a request that the transport does not send again by itself. It would where a connection breaks and the request bears an
// idempotency key; if it then cannot connect, that error hides that the first one may have arrived. Reading is repeated as ever.
func once(r *http.Request) *http.Request {
	if r.Method == "" || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return r
	}
	c := *r
	c.GetBody = nil
	if r.Body == nil || r.Body == http.NoBody { // there is nothing to rewind: the transport must not know the key
		c.Header = r.Header.Clone()
		for _, name := range []string{"Idempotency-Key", "X-Idempotency-Key"} {
			if values, ok := c.Header[name]; ok {
				delete(c.Header, name)
				c.Header[strings.ToLower(name)] = values // the same to whoever reads it
			}
		}
	}
	return &c
}
