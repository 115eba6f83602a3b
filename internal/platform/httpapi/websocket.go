package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"

	"paydesk/internal/platform/auth"
)

// protocol is the one subprotocol that is spoken (graphql-transport-ws, PROTOCOL.md of graphql-ws).
const protocol = "graphql-transport-ws"

// Close codes of the protocol. A client takes the 44xx as its own mistake and does not try again; 1001 it does.
const (
	closeGoingAway     = websocket.StatusGoingAway
	closeInternal      = websocket.StatusCode(4500)
	closeBadRequest    = websocket.StatusCode(4400)
	closeUnauthorized  = websocket.StatusCode(4401)
	closeUnsupported   = websocket.StatusCode(4406)
	closeInitTimeout   = websocket.StatusCode(4408)
	closeDuplicate     = websocket.StatusCode(4409)
	closeTooManyInits  = websocket.StatusCode(4429)
	maxOperationID     = 128
	reasonUnauthorized = "Unauthorized"
)

// socket answers a WebSocket at /graphql.
func (a *API) socket(w http.ResponseWriter, r *http.Request) {
	if !a.origins.allows(r) {
		refuse(w, r, http.StatusForbidden, codeForbidden, "this origin may not open a WebSocket")
		return
	}
	ctx, err := a.identify(a.withAddress(r), r.Header.Get("Authorization"), r.Header.Get("Accept-Language"))
	if err != nil {
		a.refuseToken(w, r, err)
		return
	}
	if !a.enter(w, r) {
		return
	}
	defer a.sockets.Done()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		Subprotocols:       []string{protocol},
		InsecureSkipVerify: true, // the origin has been judged
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return // Accept has answered
	}
	a.metrics.sockets.Inc()
	defer a.metrics.sockets.Dec()
	if conn.Subprotocol() != protocol {
		_ = conn.Close(closeUnsupported, "Subprotocol not acceptable")
		return
	}
	conn.SetReadLimit(int64(a.o.Limits.Body))
	ctx, cancel := context.WithCancel(ctx)
	s := &socket{api: a, conn: conn, life: ctx, ctx: ctx, cancel: cancel, language: r.Header.Get("Accept-Language"),
		headers: r.Header, running: map[string]*running{}}
	s.serve()
}

// socket is one connection. Its own goroutine reads; each operation has one.
type socket struct {
	api      *API
	conn     *websocket.Conn
	life     context.Context //nolint:containedctx // ends with the connection
	ctx      context.Context //nolint:containedctx // life and, once acknowledged, the viewer; the reader's alone
	cancel   context.CancelFunc
	language string
	headers  http.Header
	expiry   *time.Timer // closes the socket when the token ends; nil without one

	greeted, acknowledged bool // touched by the reader alone
	operations            sync.WaitGroup
	mu                    sync.Mutex
	running               map[string]*running
}

type running struct{ cancel context.CancelFunc }

// serve reads until the connection ends, then sees every operation end.
func (s *socket) serve() {
	late := time.AfterFunc(s.api.o.Timeouts.InitTimeout, func() { s.close(closeInitTimeout, "Connection initialisation timeout") })
	stopDrain := context.AfterFunc(s.api.draining, func() { s.close(closeGoingAway, "the server restarts") })
	ping := s.ping()
	defer func() {
		s.cancel()
		stopDrain()
		late.Stop()
		ping()
		if s.expiry != nil {
			s.expiry.Stop()
		}
		s.operations.Wait()
		_ = s.conn.CloseNow()
	}()
	for {
		kind, data, err := s.conn.Read(context.Background()) // ends with the connection
		if err != nil {
			return
		}
		m, ok := parseMessage(kind, data)
		if !ok {
			s.close(closeBadRequest, "Invalid message received")
			return
		}
		if !s.handle(m, late) {
			return
		}
	}
}

// handle takes one message; false ends the connection.
func (s *socket) handle(m message, late *time.Timer) bool {
	switch m.Type {
	case "connection_init":
		if s.greeted {
			s.close(closeTooManyInits, "Too many initialisation requests")
			return false
		}
		s.greeted = true
		late.Stop()
		return s.init(m)
	case "ping":
		return s.send(message{Type: "pong", Payload: m.Payload})
	case "pong":
		return true
	case "subscribe":
		return s.subscribe(m)
	case "complete":
		s.stop(m.ID)
		return true
	}
	s.close(closeBadRequest, "Invalid message type")
	return false
}

// ping checks every interval that the peer still answers (RFC 6455 §5.5.2); one that does not is cut. The returned
// function ends it.
func (s *socket) ping() (stop func()) {
	every := s.api.o.Timeouts.PingInterval
	var timer *time.Timer
	var mu sync.Mutex
	check := func() {
		ctx, cancel := context.WithTimeout(s.life, every)
		defer cancel()
		if err := s.conn.Ping(ctx); err != nil {
			_ = s.conn.CloseNow()
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if s.life.Err() == nil {
			timer.Reset(every)
		}
	}
	mu.Lock()
	timer = time.AfterFunc(every, check)
	mu.Unlock()
	return func() {
		mu.Lock()
		defer mu.Unlock()
		timer.Stop()
	}
}

// close ends the connection with a code that tells the client why. It may wait a few seconds for the peer's answer.
func (s *socket) close(code websocket.StatusCode, reason string) {
	s.cancel()
	_ = s.conn.Close(code, reason)
}

// expires closes the socket when the viewer's token ends (contract §3).
func (s *socket) expires(v *auth.Viewer) {
	if v != nil && !v.Expires.IsZero() {
		s.expiry = time.AfterFunc(time.Until(v.Expires), func() { s.close(closeUnauthorized, "the token has expired") })
	}
}
