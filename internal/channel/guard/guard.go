// Package guard keeps play money and real money apart: an adapter in sandbox mode reaches this machine only, one in
// production never does.
package guard

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// Mode says whose money an adapter moves.
type Mode string

// Modes of an adapter.
const (
	Sandbox    Mode = "sandbox"    // the sandbox of this process; play money
	Production Mode = "production" // the real provider; real money
)

// Timeout bounds a whole call to a provider, connection and body included.
const Timeout = 10 * time.Second

// maxAnswer is the most that is read of a provider's answer, in bytes.
const maxAnswer = 1 << 20

// BaseURL parses a provider's address and refuses one that does not fit the mode: sandbox wants loopback, production
// wants https and anything but loopback.
func BaseURL(mode Mode, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return nil, fmt.Errorf("channel address %q: an http or https URL without user and password is wanted", raw)
	}
	local := isLoopback(u.Hostname())
	switch {
	case mode == Sandbox && !local:
		return nil, fmt.Errorf("channel address %q: sandbox mode takes loopback addresses only", raw)
	case mode == Production && local:
		return nil, fmt.Errorf("channel address %q: production takes no loopback address", raw)
	case mode == Production && u.Scheme != "https":
		return nil, fmt.Errorf("channel address %q: production takes https only", raw)
	case mode != Sandbox && mode != Production:
		return nil, fmt.Errorf("channel mode %q: sandbox or production is wanted", mode)
	}
	return u, nil
}

// isLoopback knows the names and addresses of this machine; 0.0.0.0 and :: connect to it too.
func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return false
	}
	ip = ip.Unmap()
	return ip.IsLoopback() || ip.IsUnspecified()
}

// Client derives the client an adapter uses: bounded in time and size, following no redirect, and in sandbox mode
// going through no proxy. The given one is left as it is; nil means a fresh one.
func Client(mode Mode, given *http.Client) *http.Client {
	c := &http.Client{}
	if given != nil {
		*c = *given
	}
	if c.Timeout <= 0 || c.Timeout > Timeout {
		c.Timeout = Timeout
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	base := c.Transport
	if base == nil {
		base = transport(mode)
	}
	c.Transport = limited{base}
	return c
}

func transport(mode Mode) http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 3 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.TLSHandshakeTimeout = 5 * time.Second
	t.MaxIdleConnsPerHost = 32
	if mode == Sandbox {
		t.Proxy = nil
	}
	return t
}

// limited cuts answers that are too long; the SDKs read them whole.
type limited struct{ next http.RoundTripper }

// RoundTrip sends the request and limits the answer's body.
func (l limited) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(res.Body, maxAnswer), res.Body}
	return res, nil
}
