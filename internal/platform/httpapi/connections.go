package httpapi

import (
	"container/list"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"
)

// connections bounds how many are open at once. One more waits until another ends, and idle ones make room for it at once, the
// longest idle first: whoever keeps connections that nothing happens on cannot lock others out.
type connections struct {
	net.Listener
	slots  chan struct{}
	silent time.Duration         // a peer that acknowledges nothing for so long is gone
	exempt func(netip.Addr) bool // proxies, which speak for everybody
	done   chan struct{}
	close  func() error

	mu      sync.Mutex
	idle    list.List // of *connection, longest idle first
	waiting int
	peers   map[netip.Addr]int // how many each has open
}

// peerShare: one peer has at most half of the connections, so that slow headers from one host leave room for everybody else.
const peerShare = 2

func newConnections(l net.Listener, most int, silent time.Duration, exempt func(netip.Addr) bool) *connections {
	c := &connections{Listener: l, slots: make(chan struct{}, most), silent: silent, exempt: exempt, done: make(chan struct{}), peers: map[netip.Addr]int{}}
	c.close = sync.OnceValue(func() error {
		close(c.done)
		return l.Close()
	})
	return c
}

func (c *connections) Close() error { return c.close() }

// Accept takes a connection first and finds room for it then: only somebody who is there makes idle ones go.
func (c *connections) Accept() (net.Conn, error) {
	conn, peer, err := c.admitted()
	if err != nil {
		return nil, err
	}
	if !c.room() {
		c.left(peer)
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		noticeSilence(tcp, c.silent)
	}
	return &connection{Conn: conn, release: sync.OnceFunc(func() { c.left(peer); <-c.slots })}, nil
}

// admitted takes the next connection of a peer that has not its share already; others are closed.
func (c *connections) admitted() (net.Conn, netip.Addr, error) {
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			return nil, netip.Addr{}, err
		}
		peer := peerOf(conn)
		if c.joined(peer) {
			return conn, peer, nil
		}
		_ = conn.Close()
	}
}

// peerOf is the other side's address, for IPv6 its network's; the zero one where it has none.
func peerOf(conn net.Conn) netip.Addr {
	p, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil {
		return netip.Addr{}
	}
	address := p.Addr().Unmap().WithZone("")
	if address.Is6() { // one customer of a provider has a network of them
		network, _ := address.Prefix(ipv6Network)
		return network.Addr()
	}
	return address
}

// joined counts a connection of a peer; false where it has its share.
func (c *connections) joined(peer netip.Addr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.peers[peer] >= max(1, cap(c.slots)/peerShare) && peer.IsValid() && !c.exempt(peer) {
		return false
	}
	c.peers[peer]++
	return true
}

func (c *connections) left(peer netip.Addr) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.peers[peer]--; c.peers[peer] == 0 {
		delete(c.peers, peer)
	}
}

// room waits for a slot; false once the listener is closed.
func (c *connections) room() bool {
	select {
	case c.slots <- struct{}{}:
		return true
	default:
	}
	c.wait(1)
	defer c.wait(-1)
	select {
	case c.slots <- struct{}{}:
		return true
	case <-c.done:
		return false
	}
}

func (c *connections) wait(n int) {
	c.mu.Lock()
	c.waiting += n
	var oldest *connection
	if front := c.idle.Front(); n > 0 && front != nil {
		oldest = front.Value.(*connection)
	}
	c.mu.Unlock()
	if oldest != nil {
		_ = oldest.Close()
	}
}

// watch is http.Server.ConnState: it knows which connections are idle.
func (c *connections) watch(conn net.Conn, state http.ConnState) {
	x, ok := conn.(*connection)
	if !ok || state == http.StateNew {
		return
	}
	c.mu.Lock()
	if x.idle != nil {
		c.idle.Remove(x.idle)
		x.idle = nil
	}
	full := false
	if state == http.StateIdle {
		if full = c.waiting > 0; !full {
			x.idle = c.idle.PushBack(x)
		}
	}
	c.mu.Unlock()
	if full {
		_ = x.Close()
	}
}

// connection holds one slot until it is closed.
type connection struct {
	net.Conn
	idle    *list.Element // of connections.idle, nil while it is busy
	release func()
}

func (c *connection) Close() error {
	err := c.Conn.Close()
	c.release()
	return err
}
