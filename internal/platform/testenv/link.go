package testenv

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Link stands in front of a server, and can be cut or made to hang, as a network does. It passes at first.
type Link struct {
	Address string // to dial in place of the server's

	behind string
	mu     sync.Mutex
	open   map[net.Conn]struct{}
	mode   linkMode
}

type linkMode int

const (
	passes linkMode = iota
	cut
	hangs
)

// NewLink opens a link to the server at an address, until the test ends.
func NewLink(t testing.TB, behind string) *Link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &Link{Address: listener.Addr().String(), behind: behind, open: map[net.Conn]struct{}{}}
	go l.serve(listener)
	t.Cleanup(func() {
		_ = listener.Close()
		l.Cut()
	})
	return l
}

// Cut ends all connections, and new ones at once, until Pass.
func (l *Link) Cut() { l.turn(cut) }

// Hang keeps connections open and takes what is sent, but nothing arrives, until Pass or Cut.
func (l *Link) Hang() { l.turn(hangs) }

// Pass lets everything through again; what hung before is ended.
func (l *Link) Pass() { l.turn(passes) }

func (l *Link) turn(m linkMode) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mode = m
	if m != hangs {
		for c := range l.open {
			_ = c.Close()
		}
		clear(l.open)
	}
}

func (l *Link) serve(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		go l.pass(c)
	}
}

func (l *Link) pass(c net.Conn) {
	defer c.Close() //nolint:errcheck // nobody hears it
	l.mu.Lock()
	if l.mode == cut {
		l.mu.Unlock()
		return
	}
	l.open[c] = struct{}{}
	l.mu.Unlock()
	to, err := net.Dial("tcp", l.behind)
	if err != nil {
		return
	}
	defer to.Close() //nolint:errcheck // nobody hears it
	go func() { _, _ = io.Copy(c, to); _ = c.Close() }()
	b := make([]byte, 4096)
	for {
		n, err := c.Read(b)
		if err != nil {
			return
		}
		l.mu.Lock()
		swallow := l.mode == hangs
		l.mu.Unlock()
		if swallow {
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}
