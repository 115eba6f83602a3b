// Package guard keeps play money and real money apart: an adapter in sandbox mode reaches this machine only, one in
// production never does. It judges the configured address (BaseURL), every request that an adapter's client sends, addresses that
// a provider answers included, and last what a name resolves to (Client).
package guard

import (
	"errors"
	"fmt"
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

// FileTimeout bounds the fetching of one file, a statement: up to 64 MiB over whatever line there is.
const FileTimeout = 2 * time.Minute

// BaseURL parses a provider's address and refuses one that does not fit the mode: sandbox wants loopback, production
// wants https and anything but loopback.
func BaseURL(mode Mode, raw string) (*url.URL, error) {
	u, err := judged(mode, raw)
	if err != nil {
		return nil, fmt.Errorf("channel address %q: %w", shown(raw), err)
	}
	return u, nil
}

// Follow is BaseURL for an address that a provider answers (a statement to fetch, a certificate). Client refuses it as well; the error
// here comes earlier and, since such addresses may carry a token, says nothing of it.
func Follow(mode Mode, raw string) (*url.URL, error) {
	u, err := judged(mode, raw)
	if err != nil {
		return nil, fmt.Errorf("address of a provider's answer: %w", err)
	}
	return u, nil
}

func judged(mode Mode, raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, errors.New("not readable") // url.Parse repeats it whole, passwords included
	}
	return u, fits(mode, u)
}

// fits judges an address by what is written in it.
func fits(mode Mode, u *url.URL) error {
	host := u.Hostname()
	if host == "" || (u.Scheme != "http" && u.Scheme != "https") || u.User != nil {
		return errors.New("an http or https URL without user and password is wanted")
	}
	local := isLoopback(host)
	switch {
	case mode == Sandbox && !local:
		return errors.New("sandbox mode takes loopback addresses only")
	case mode == Production && local:
		return errors.New("production takes no loopback address")
	case mode == Production && u.Scheme != "https":
		return errors.New("production takes https only")
	case mode == Production && disguised(host):
		return errors.New("production takes names and plainly written addresses")
	case mode != Sandbox && mode != Production:
		return fmt.Errorf("mode %q: sandbox or production is wanted", mode)
	}
	return nil
}

// isLoopback knows the names and addresses of this machine; 0.0.0.0 and :: connect to it too.
func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && local(ip)
}

func local(ip netip.Addr) bool {
	ip = ip.WithZone("").Unmap()
	return ip.IsLoopback() || ip.IsUnspecified()
}

// disguised: an address in a form that resolvers take and people misread (127.1, 0x7f000001, 2130706433, digits of other scripts), and
// a name that its owner cannot have meant.
func disguised(host string) bool {
	if strings.ContainsFunc(host, func(r rune) bool { return r > '~' || r <= ' ' }) {
		return true
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	digits := strings.TrimLeft(last, "0123456789")
	return digits == "" || strings.HasPrefix(last, "0x")
}

// shown is an address without user, password and query.
func shown(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "not readable"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
