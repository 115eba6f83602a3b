package httpapi

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// wire is a WebSocket written by hand: it sends what a library would not.
type wire struct {
	net.Conn
	r    *bufio.Reader
	resp *http.Response // of the handshake
}

// dialWire opens a connection and shakes hands with these headers, "Name: value"; protocols are offered as they stand.
func (w world) dialWire(t *testing.T, protocols string, headers ...string) *wire {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(w.server.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	lines := append([]string{"GET /graphql HTTP/1.1", "Host: " + c.RemoteAddr().String(), "Connection: keep-alive, Upgrade", "Upgrade: WebSocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="}, headers...)
	if protocols != "" {
		lines = append(lines, "Sec-WebSocket-Protocol: "+protocols)
	}
	x := &wire{Conn: c, r: bufio.NewReader(c)}
	x.raw(t, []byte(strings.Join(lines, "\r\n")+"\r\n\r\n"))
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if x.resp, err = http.ReadResponse(x.r, nil); err != nil {
		t.Fatal(err)
	}
	return x
}

// opened is a connection that speaks the protocol, acknowledged.
func (w world) opened(t *testing.T, payload string) *wire {
	t.Helper()
	x := w.dialWire(t, protocol)
	if x.resp.StatusCode != http.StatusSwitchingProtocols || x.resp.Header.Get("Sec-WebSocket-Protocol") != protocol {
		t.Fatal(x.resp.Status, x.resp.Header)
	}
	x.text(t, `{"type":"connection_init"`+payload+`}`)
	if got := x.hear(t); got != ack {
		t.Fatal(got)
	}
	return x
}

// frame is one frame of RFC 6455 §5.2 as it goes over the wire.
type frame struct {
	first    byte // FIN, RSV and opcode
	unmasked bool
	payload  []byte
	claims   uint64 // the length it says, where it is not the payload's
}

const (
	fin      = 0x80
	textOp   = 0x1
	binaryOp = 0x2
	closeOp  = 0x8
	pingOp   = 0x9
	pongOp   = 0xA
)

func (f frame) bytes() []byte {
	n := max(uint64(len(f.payload)), f.claims)
	masked := byte(0x80)
	if f.unmasked {
		masked = 0
	}
	out := []byte{f.first}
	switch {
	case n < 126:
		out = append(out, masked|byte(n))
	case n < 1<<16:
		out = binary.BigEndian.AppendUint16(append(out, masked|126), uint16(n))
	default:
		out = binary.BigEndian.AppendUint64(append(out, masked|127), n)
	}
	if f.unmasked {
		return append(out, f.payload...)
	}
	key := [4]byte{1, 2, 3, 4}
	out = append(out, key[:]...)
	for i, b := range f.payload {
		out = append(out, b^key[i%4])
	}
	return out
}

// raw writes; the server may have closed already.
func (x *wire) raw(t *testing.T, data []byte) {
	t.Helper()
	_ = x.SetWriteDeadline(time.Now().Add(10 * time.Second))
	_, _ = x.Write(data)
}

func (x *wire) text(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		x.raw(t, frame{first: fin | textOp, payload: []byte(text)}.bytes())
	}
}

// next reads one frame of the server's, whole and unmasked as they have to be.
func (x *wire) next() (opcode byte, payload []byte, err error) {
	var head [2]byte
	if _, err = io.ReadFull(x.r, head[:]); err != nil {
		return 0, nil, err
	}
	if head[0]&0x70 != 0 || head[1]&0x80 != 0 {
		return 0, nil, fmt.Errorf("reserved bits or a mask: %x", head)
	}
	n := uint64(head[1])
	switch n {
	case 126:
		var b [2]byte
		_, err = io.ReadFull(x.r, b[:])
		n = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		_, err = io.ReadFull(x.r, b[:])
		n = binary.BigEndian.Uint64(b[:])
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(x.r, payload)
	return head[0] & 0x0f, payload, err
}

// hear gives the next text; the server's pings are passed over, and answered.
func (x *wire) hear(t *testing.T) string {
	t.Helper()
	for {
		op, payload, err := x.next()
		if err != nil {
			t.Fatal(err)
		}
		switch op {
		case pingOp:
			x.raw(t, frame{first: fin | pongOp, payload: payload}.bytes())
		case textOp, 0:
			return string(payload)
		default:
			t.Fatalf("opcode %x: %x", op, payload)
		}
	}
}

// closed reads to the end: the code of the server's close, 0 where there was none, and what was heard before. It answers the
// close as a peer does, and wants the connection to end then.
func (x *wire) closed(t *testing.T) (code int, reason string, heard []string) {
	t.Helper()
	for {
		op, payload, err := x.next()
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			t.Fatal("still open, after", heard)
		}
		if err != nil {
			return code, reason, heard
		}
		switch {
		case op == closeOp && code != 0:
			t.Error("closed twice")
		case op == closeOp && len(payload) >= 2:
			code, reason = int(binary.BigEndian.Uint16(payload)), string(payload[2:])
			x.raw(t, frame{first: fin | closeOp, payload: payload}.bytes())
		case op == textOp && code != 0:
			t.Errorf("%s after the close", payload)
		case op == textOp:
			heard = append(heard, string(payload))
		}
	}
}

// A peer that is told to go, and then begins a frame it never ends, is gone all the same.
func TestACloseIsNotWaitedForInTheMiddleOfAFrame(t *testing.T) {
	t.Parallel()
	w := start(t)
	x := w.opened(t, "")
	x.text(t, `{"type":"nonsense"}`)
	x.raw(t, frame{first: fin | textOp, payload: []byte("x"), claims: 1 << 30}.bytes())
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				_, _ = x.Write([]byte("x"))
			}
		}
	}()
	began := time.Now()
	for {
		if _, _, err := x.next(); err != nil {
			break
		}
	}
	if took := time.Since(began); took > 2*closeWithin {
		t.Error("held for", took)
	}
	eventually(t, "the socket is forgotten", func() bool {
		w.api.seats.mu.Lock()
		defer w.api.seats.mu.Unlock()
		return len(w.api.seats.held) == 0
	})
}
