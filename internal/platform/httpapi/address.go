package httpapi

import (
	"net/http"
	"net/netip"
	"strings"
)

// ipv6Network is what one customer of a provider has at the least, and may change addresses within at will (RFC 6177).
const ipv6Network = 64

// clientAddress is what limits per address count by: the client's IPv4 address, or the /64 network of its IPv6 address.
func (a *API) clientAddress(r *http.Request) string { return neighbours(a.address(r)) }

// neighbours is an address with those that its owner may change to at will; without one, as where it is not TCP, everybody is one.
func neighbours(address netip.Addr) string {
	if !address.IsValid() {
		return "@"
	}
	if address.Is6() {
		network, _ := address.Prefix(ipv6Network) // fails for too many bits alone
		return network.String()
	}
	return address.String()
}

// address is where a request comes from: the connection's address, or where that is a trusted proxy's, the last one in X-Forwarded-For that
// is none, for what stands further left anybody may have written. It is not valid where the request did not come over TCP.
func (a *API) address(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address := peer.Addr().Unmap().WithZone("")
	if len(a.o.Proxies) > 0 && a.trusted(address) {
		address = a.forwarded(address, r.Header.Values("X-Forwarded-For"))
	}
	return address
}

// forwarded walks X-Forwarded-For from the right, as far as proxies can be trusted to have written it.
func (a *API) forwarded(address netip.Addr, headers []string) netip.Addr {
	hops := strings.Split(strings.Join(headers, ","), ",")
	for i := len(hops) - 1; i >= 0 && a.trusted(address); i-- {
		hop, ok := parseHop(strings.TrimSpace(hops[i]))
		if !ok {
			break // who it was cannot be read: the proxy answers for it
		}
		address = hop
	}
	return address
}

// parseHop reads an address as proxies write it: bare, with a port, or an IPv6 address in brackets.
func parseHop(text string) (netip.Addr, bool) {
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr().Unmap().WithZone(""), true
	}
	bare, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return bare.Unmap().WithZone(""), err == nil
}

func (a *API) trusted(address netip.Addr) bool {
	for _, network := range a.o.Proxies {
		if network.Contains(address) {
			return true
		}
	}
	return false
}
