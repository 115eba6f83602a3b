package httpapi

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// serve answers on an address as the process does, until the test ends.
func (w world) serve(t *testing.T) (address string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.api.Serve(ctx, l) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(stop)
	return l.Addr().String(), stop
}

// loopback as a trusted proxy may have all connections.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}

// One peer has half of the connections at most, whatever it does with them; the others are for everybody else.
func TestOnePeerLeavesRoom(t *testing.T) {
	w := start(t, func(o *Options) { o.Limits.Connections = 6 })
	address, _ := w.serve(t)
	slow := make([]net.Conn, 3)
	for i := range slow {
		slow[i] = asked(t, address, "POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	}
	if _, err := io.ReadAll(asked(t, address, call("{ hello }"))); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error("a fourth is closed, not left waiting:", err)
	}
	_ = slow[0].Close()
	eventually(t, "there is room again", func() bool {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = io.WriteString(c, call("{ hello }"))
		_ = c.SetReadDeadline(time.Now().Add(time.Second))
		line, _ := bufio.NewReader(c).ReadString('\n')
		return strings.HasPrefix(line, "HTTP/1.1 200")
	})
}

func call(query string) string {
	body := `{"query":"` + query + `"}`
	return "POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body
}

// asked opens a connection and sends a request over it.
func asked(t *testing.T, address, request string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	return c
}

func answered(t *testing.T, c net.Conn) string {
	t.Helper()
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Idle connections make room for who is there; busy ones do not, and who waits is served once one of them ends.
func TestConnectionsAreBounded(t *testing.T) {
	w := start(t, func(o *Options) { o.Limits.Connections = 3; o.Proxies = loopback })
	address, _ := w.serve(t)
	for range 10 { // each stays open and idle
		if got := answered(t, asked(t, address, call("{ hello }"))); !strings.Contains(got, "hello ") {
			t.Fatal(got)
		}
	}
	busy := []net.Conn{}
	for range 3 {
		busy = append(busy, asked(t, address, call("{ block }")))
		<-w.blocked
	}
	began := time.Now()
	if got := answered(t, asked(t, address, call("{ hello }"))); !strings.Contains(got, "hello ") {
		t.Fatal(got)
	}
	if waited := time.Since(began); waited < 50*time.Millisecond {
		t.Error("a fourth was served beside three busy ones, after", waited)
	}
	for _, c := range busy {
		if got := answered(t, c); !strings.Contains(got, `"block"`) {
			t.Error(got)
		}
	}
}

// A server ends although somebody waits for a connection.
func TestServerEndsWhileConnectionsWait(t *testing.T) {
	w := start(t, func(o *Options) { o.Limits.Connections = 1; o.Proxies = loopback })
	address, stop := w.serve(t)
	busy := asked(t, address, call("{ block }"))
	<-w.blocked
	asked(t, address, call("{ hello }"))
	stop()
	if got := answered(t, busy); !strings.Contains(got, `"block"`) {
		t.Error(got)
	}
}

// Who stops reading delays nobody and is cut by the write deadline: a socket, an event stream, a large answer.
func TestReadersThatStop(t *testing.T) {
	w := start(t, func(o *Options) {
		o.Timeouts.WriteTimeout, o.Timeouts.OperationTimeout = 500*time.Millisecond, 500*time.Millisecond
		o.Timeouts.HeaderTimeout, o.Timeouts.BodyTimeout = 200*time.Millisecond, 200*time.Millisecond
	})
	address, _ := w.serve(t)
	endless := "subscription { count(to: 100000000) }"
	request := call(endless)
	stream := asked(t, address, strings.Replace(request, "\r\n\r\n", "\r\nAccept: text/event-stream\r\n\r\n", 1))
	_ = stream.(*net.TCPConn).SetReadBuffer(4096)
	socket := w.opened(t, "")
	_ = socket.Conn.(*net.TCPConn).SetReadBuffer(4096)
	socket.text(t, `{"id":"1","type":"subscribe","payload":{"query":"`+endless+`"}}`)
	eventually(t, "both follow", func() bool { return w.follows.Load() == 2 })

	began := time.Now()
	other := w.opened(t, "")
	other.text(t, countTo2)
	for range 3 {
		other.hear(t)
	}
	if waited := time.Since(began); waited > time.Second {
		t.Error("another one waited", waited)
	}
	eventually(t, "they are cut", func() bool { return w.follows.Load() == 0 })

	big := asked(t, address, call("{ big(bytes: 900) }"))
	if got := answered(t, big); len(got) < 900 {
		t.Error(got)
	}
	const bytes = 30_000_000
	slow := asked(t, address, call("{ big(bytes: 30000000) }"))
	_ = slow.(*net.TCPConn).SetReadBuffer(4096)
	eventually(t, "the large answer is cut", func() bool { // what is sent to a closed connection is refused
		_, err := slow.Write([]byte("x"))
		return err != nil
	})
	if n, err := io.Copy(io.Discard, slow); n >= bytes {
		t.Error("it came whole:", n, err)
	}
}

func TestPackedBodiesAreRefused(t *testing.T) {
	w := start(t)
	for coding, status := range map[string]int{"gzip": 415, "br": 415, "gzip, identity": 415, "deflate": 415, "identity": 200} {
		a := w.send(t, "POST", "/graphql", `{"query":"{ hello }"}`, "Content-Encoding", coding)
		if a.status != status || status == 415 && (a.code() != codeBadInput || a.header.Get("Accept-Encoding") != "identity") {
			t.Errorf("%s: %d %v %s", coding, a.status, a.header, a.body)
		}
	}
}
