package e2e

import (
	"net"
	"strings"
	"sync"
	"testing"

	"paydesk/internal/platform/testenv"
)

// link is a network between a server and its Redis that can hang: connections stay open, and nothing comes through.
type link struct {
	URL string // of Redis, through the link

	mu   sync.Mutex
	flow *sync.Cond
	hung bool
}

// newLink is a link to the home's Redis, until the test ends.
func newLink(t testing.TB, home testenv.Home) *link {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, rest, _ := strings.Cut(strings.TrimPrefix(home.RedisURL, "redis://"), "/")
	k := &link{URL: "redis://" + l.Addr().String() + "/" + rest}
	k.flow = sync.NewCond(&k.mu)
	go func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			to, err := net.Dial("tcp", address)
			if err != nil {
				_ = from.Close()
				continue
			}
			go k.carry(to, from)
			go k.carry(from, to)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		k.hang(false)
	})
	return k
}

// hang stops everything on the way, or lets it go on.
func (k *link) hang(on bool) {
	k.mu.Lock()
	k.hung = on
	k.mu.Unlock()
	k.flow.Broadcast()
}

func (k *link) carry(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		k.mu.Lock()
		for k.hung {
			k.flow.Wait()
		}
		k.mu.Unlock()
		if _, wrong := to.Write(buffer[:n]); wrong != nil || err != nil {
			return
		}
	}
}
