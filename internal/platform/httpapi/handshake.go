package httpapi

import (
	"bufio"
	"encoding/base64"
	"net"
	"net/http"
	"strings"

	"github.com/coder/websocket"
)

// wantsSocket reports whether a request asks for a WebSocket. Other protocols of an Upgrade header, h2c among them, are
// ignored, as they may be (RFC 9110 §7.8): some HTTP clients offer one with every first request.
func wantsSocket(r *http.Request) bool {
	return hasToken(r.Header, "Upgrade", "websocket")
}

// handshake judges the opening handshake (RFC 6455 §4.2.1). ok is false where the request has been answered.
func handshake(w http.ResponseWriter, r *http.Request) (ok bool) {
	switch {
	case r.Method != http.MethodGet:
		refuseMethod(w, r, http.MethodGet, "a WebSocket begins with GET")
	case !r.ProtoAtLeast(1, 1) || !hasToken(r.Header, "Connection", "Upgrade"):
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		refuse(w, r, http.StatusUpgradeRequired, codeBadInput, "Connection: Upgrade is missing")
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		w.Header().Set("Sec-WebSocket-Version", "13")
		refuse(w, r, http.StatusUpgradeRequired, codeBadInput, "version 13 of the WebSocket protocol is spoken")
	case !validKey(r.Header.Values("Sec-WebSocket-Key")):
		refuse(w, r, http.StatusBadRequest, codeBadInput, "Sec-WebSocket-Key is not one key of 16 bytes")
	default:
		return true
	}
	return false
}

func validKey(keys []string) bool {
	if len(keys) != 1 {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(keys[0]))
	return err == nil && len(key) == 16
}

func hasToken(h http.Header, name, token string) bool {
	for _, line := range h.Values(name) {
		for t := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}

// upgrade accepts a WebSocket; nil where the request has been answered. The connection beneath comes with it: the library
// waits for a peer's close without a deadline while that peer is in the middle of a frame.
func upgrade(w http.ResponseWriter, r *http.Request) (*websocket.Conn, net.Conn) {
	below := &hijacked{ResponseWriter: w}
	conn, err := websocket.Accept(below, r, &websocket.AcceptOptions{
		Subprotocols:       []string{protocol},
		InsecureSkipVerify: true, // the origin has been judged
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return nil, nil // Accept has answered
	}
	return conn, below.conn
}

// hijacked remembers the connection that was taken over.
type hijacked struct {
	http.ResponseWriter
	conn net.Conn
}

func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(h.ResponseWriter).Hijack()
	h.conn = conn
	return conn, buffers, err
}
