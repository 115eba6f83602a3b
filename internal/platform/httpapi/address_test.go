package httpapi

import (
	"net/http"
	"net/netip"
	"testing"
)

func TestClientAddress(t *testing.T) {
	behind := &API{o: Options{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("192.0.2.7/32")}}}
	for _, c := range []struct {
		api       *API
		peer      string
		forwarded []string
		want      string
	}{
		{&API{}, "198.51.100.1:4000", nil, "198.51.100.1"},
		{&API{}, "198.51.100.1:4000", []string{"203.0.113.9"}, "198.51.100.1"}, // no proxy is trusted: it is not looked at
		{&API{}, "[::ffff:198.51.100.1]:4000", nil, "198.51.100.1"},
		{&API{}, "[2001:db8:1:2:3::4%eth0]:4000", nil, "2001:db8:1:2::/64"},
		{&API{}, "@", nil, "@"},
		{behind, "198.51.100.1:4000", []string{"203.0.113.9"}, "198.51.100.1"}, // whoever comes directly writes what it likes
		{behind, "10.1.2.3:4000", nil, "10.1.2.3"},
		{behind, "10.1.2.3:4000", []string{""}, "10.1.2.3"},
		{behind, "10.1.2.3:4000", []string{"203.0.113.9"}, "203.0.113.9"},
		{behind, "[fd00::1]:4000", []string{"203.0.113.9:555"}, "203.0.113.9"},
		{behind, "10.1.2.3:4000", []string{"[2001:db8::1]:555"}, "2001:db8::/64"},
		{behind, "10.1.2.3:4000", []string{"[2001:db8::1]"}, "2001:db8::/64"},
		{behind, "10.1.2.3:4000", []string{"1.1.1.1, 203.0.113.9, 192.0.2.7"}, "203.0.113.9"}, // the left end is the client's invention
		{behind, "10.1.2.3:4000", []string{"1.1.1.1", "203.0.113.9", "10.9.9.9,192.0.2.7"}, "203.0.113.9"},
		{behind, "10.1.2.3:4000", []string{"203.0.113.9, unknown, 10.9.9.9"}, "10.9.9.9"},
		{behind, "10.1.2.3:4000", []string{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{}}
		for _, line := range c.forwarded {
			r.Header.Add("X-Forwarded-For", line)
		}
		if got := c.api.clientAddress(r); got != c.want {
			t.Errorf("%s %q: %s, want %s", c.peer, c.forwarded, got, c.want)
		}
	}
}
