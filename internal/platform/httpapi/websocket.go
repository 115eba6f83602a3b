package httpapi

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
	utf "unicode/utf8"

	"github.com/coder/websocket"

	"paydesk/internal/platform/auth"
)

// protocol is the one subprotocol that is spoken (graphql-transport-ws, PROTOCOL.md of graphql-ws).
const protocol = "graphql-transport-ws"

// Close codes of the protocol. A client takes the 44xx as its own mistake and does not try again; after 1001 and 1013 it does,
// so a user who holds too many sockets is told 1013: graphql-ws comes back, later each time, and finds room once one has closed.
const (
	closeGoingAway     = websocket.StatusGoingAway
	closeInternal      = websocket.StatusCode(4500)
	closeBadRequest    = websocket.StatusCode(4400)
	closeUnauthorized  = websocket.StatusCode(4401)
	closeUnsupported   = websocket.StatusCode(4406)
	closeInitTimeout   = websocket.StatusCode(4408)
	closeDuplicate     = websocket.StatusCode(4409)
	closeTooManyInits  = websocket.StatusCode(4429)
	closeLater         = websocket.StatusTryAgainLater
	maxOperationID     = 128
	reasonUnauthorized = "Unauthorized"
)

// closeWithin is how long a peer may take to answer a close; in the middle of a frame too.
const closeWithin = 5 * time.Second

// socket answers a WebSocket at /graphql.
func (a *API) socket(w http.ResponseWriter, r *http.Request) {
	if !a.origins.allows(r) {
		refuse(w, r, http.StatusForbidden, codeForbidden, "this origin may not open a WebSocket")
		return
	}
	if !handshake(w, r) {
		return
	}
	ctx, err := a.identify(a.withAddress(r), r.Header.Get("Authorization"), r.Header.Get("Accept-Language"))
	if err != nil {
		a.refuseToken(w, r, err)
		return
	}
	seat := a.admitLong(ctx, w, r)
	if seat == nil {
		return
	}
	defer seat.leave()
	if !a.enter(w, r) {
		return
	}
	defer a.sockets.Done()
	conn, below := upgrade(w, r)
	if conn == nil {
		return
	}
	a.metrics.sockets.Inc()
	defer a.metrics.sockets.Dec()
	conn.SetReadLimit(int64(a.o.Limits.Body))
	ctx, cancel := context.WithCancel(ctx)
	s := &socket{api: a, conn: conn, below: below, seat: seat, life: ctx, ctx: ctx, cancel: cancel, language: r.Header.Get("Accept-Language"),
		headers: r.Header, running: map[string]*running{}}
	s.serve()
}

// socket is one connection. Its own goroutine reads; each operation has one.
type socket struct {
	api      *API
	conn     *websocket.Conn
	below    net.Conn
	seat     *seat
	life     context.Context //nolint:containedctx // ends with the connection
	ctx      context.Context //nolint:containedctx // life and, once acknowledged, the viewer; the reader's alone
	cancel   context.CancelFunc
	language string
	headers  http.Header
	expiry   *time.Timer  // closes the socket when the token ends; nil without one
	ended    atomic.Int32 // the first close code of ours, 0 while there is none

	greeted, acknowledged bool // touched by the reader alone
	operations            sync.WaitGroup
	mu                    sync.Mutex
	running               map[string]*running // by id, until the client completes them or they are over
	active                int                 // operations that are not over
	answers               int                 // of them: queries and mutations, and what may turn out to be one
	leaving               chan struct{}       // made by leave, closed when the last answer is on its way; nil while we stay
}

type running struct{ cancel context.CancelFunc }

// serve reads until the connection ends, then sees every operation end.
func (s *socket) serve() {
	late := time.AfterFunc(s.api.o.Timeouts.InitTimeout, func() { s.close(closeInitTimeout, "Connection initialisation timeout") })
	stopDrain := context.AfterFunc(s.api.draining, s.leave)
	ping := s.ping()
	var last error
	defer func() {
		s.api.metrics.closed(websocket.StatusCode(s.ended.Load()), last)
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
	if s.conn.Subprotocol() != protocol {
		s.close(closeUnsupported, "Subprotocol not acceptable")
		return
	}
	for {
		kind, data, err := s.read()
		if err != nil {
			last = err
			s.broken(err)
			return
		}
		if kind == websocket.MessageText && !utf.Valid(data) { // RFC 6455 §8.1
			s.close(websocket.StatusInvalidFramePayloadData, "Invalid UTF-8")
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

// read waits for a message as long as it takes; once one has begun it has to come in the time of a body.
func (s *socket) read() (kind websocket.MessageType, data []byte, err error) {
	kind, r, err := s.conn.Reader(context.Background()) // ends with the connection
	if err != nil {
		return 0, nil, err
	}
	s.readBy(now().Add(s.api.o.Timeouts.BodyTimeout))
	body := s.api.ration(r)
	defer body.giveBack()
	data, err = io.ReadAll(body)
	s.readBy(time.Time{})
	return kind, data, err
}

// readBy sets when reading fails, unless the socket is being closed: that has a deadline of its own.
func (s *socket) readBy(deadline time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended.Load() == 0 {
		_ = s.below.SetReadDeadline(deadline)
	}
}

// broken ends a connection that could not be read: told why where the peer is there and has broken the protocol.
func (s *socket) broken(err error) {
	var network net.Error
	switch {
	case websocket.CloseStatus(err) != -1: // the peer has closed, and was answered
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.close(websocket.StatusPolicyViolation, "the message came too slowly")
	case errors.Is(err, websocket.ErrMessageTooBig):
		s.close(websocket.StatusMessageTooBig, "") // the library has told; what is still coming is read, or it would be reset
	case errors.Is(err, errLargeBodies):
		s.close(closeLater, "large messages cannot be taken now")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.As(err, &network):
	default:
		s.close(websocket.StatusProtocolError, "")
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
		ctx, cancel := context.WithTimeout(context.Background(), every) // not s.life: a close would cut itself off
		defer cancel()
		if err := s.conn.Ping(ctx); err != nil {
			if s.life.Err() == nil {
				_ = s.conn.CloseNow()
			}
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

// leave closes the socket when the process drains: its subscriptions go on elsewhere. What is being answered is answered before,
// as far as the drain has time for it.
func (s *socket) leave() {
	s.mu.Lock()
	s.leaving = make(chan struct{})
	if s.answers == 0 {
		close(s.leaving)
	}
	s.mu.Unlock()
	select {
	case <-s.leaving:
	case <-s.life.Done():
	case <-time.After(s.api.o.Timeouts.DrainTimeout / 2): // the other half is for closing, and for what ends without us
	}
	s.close(closeGoingAway, "the server restarts")
}

// close ends the connection with a code that tells the client why. It may wait a few seconds for the peer's answer.
func (s *socket) close(code websocket.StatusCode, reason string) {
	s.mu.Lock()
	s.ended.CompareAndSwap(0, int32(code))
	_ = s.below.SetReadDeadline(now().Add(closeWithin))
	s.mu.Unlock()
	s.cancel()
	_ = s.conn.Close(code, reason)
}

// expires closes the socket when the viewer's token ends (contract §3).
func (s *socket) expires(v *auth.Viewer) {
	if v != nil && !v.Expires.IsZero() {
		s.expiry = time.AfterFunc(time.Until(v.Expires), func() { s.close(closeUnauthorized, "the token has expired") })
	}
}
