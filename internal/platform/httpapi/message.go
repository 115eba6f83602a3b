package httpapi

import (
	"context"
	"encoding/json"
	"runtime/debug"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/coder/websocket"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"paydesk/internal/platform/auth"
)

// message is a frame of the protocol.
type message struct {
	ID      string          `json:"id,omitempty"`
	Type    string          `json:"type"`
	Payload json.RawMessage `json:"payload,omitempty"`
}

func parseMessage(kind websocket.MessageType, data []byte) (m message, ok bool) {
	if kind != websocket.MessageText || json.Unmarshal(data, &m) != nil {
		return m, false
	}
	switch m.Type {
	case "connection_init", "ping", "pong":
		return m, isObject(m.Payload)
	case "subscribe", "complete":
		return m, m.ID != "" && len(m.ID) <= maxOperationID
	}
	return m, false
}

// isObject: an object, null, or nothing at all.
func isObject(raw json.RawMessage) bool {
	return len(raw) == 0 || raw[0] == '{' || string(raw) == "null"
}

// send writes a frame; a peer that does not take it in time loses its connection, and nobody else waits.
func (s *socket) send(m message) bool {
	data, err := json.Marshal(m)
	if err != nil { // a payload that is no JSON would be our own mistake
		panic(err)
	}
	return s.write(data)
}

func (s *socket) write(data []byte) bool {
	// Not the operation's context: a cancelled write would cut the whole connection in the middle of a frame.
	ctx, cancel := context.WithTimeout(context.Background(), s.api.o.Timeouts.WriteTimeout)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, data) == nil
}

// init takes who the connection belongs to and its language from the payload, else from the headers of the upgrade.
func (s *socket) init(m message) bool {
	var payload struct {
		Authorization string `json:"authorization"` // matched without regard to case
		Locale        string `json:"locale"`
	}
	if len(m.Payload) > 0 && json.Unmarshal(m.Payload, &payload) != nil {
		s.close(closeBadRequest, "Invalid connection_init payload")
		return false
	}
	language := s.language
	if payload.Locale != "" {
		language = payload.Locale
	}
	ctx := s.ctx
	if payload.Authorization == "" {
		payload.Authorization = s.headers.Get("Authorization")
	}
	ctx, err := s.api.identify(ctx, payload.Authorization, language)
	if err != nil {
		if !isWrong(err) { // the keys are out of reach, or this address has sent too many wrong tokens: a later try may pass
			s.close(closeLater, "try again later")
		} else {
			s.close(closeUnauthorized, reasonUnauthorized)
		}
		return false
	}
	if auth.From(ctx) != nil && !s.seat.become(holder(ctx, "")) {
		s.close(closeLater, "too many sockets and event streams are open")
		return false
	}
	s.ctx = ctx
	s.expires(auth.From(ctx))
	s.acknowledged = true
	return s.send(message{Type: "connection_ack"})
}

// subscribe starts an operation; false ends the connection.
func (s *socket) subscribe(m message) bool {
	if !s.acknowledged {
		s.close(closeUnauthorized, reasonUnauthorized)
		return false
	}
	p, problem := decode(m.Payload)
	if problem != "" {
		s.close(closeBadRequest, "Invalid message: "+problem)
		return false
	}
	p.Headers = s.headers
	ctx, cancel := context.WithCancel(s.ctx)
	run := &running{cancel: cancel}
	s.mu.Lock()
	_, taken := s.running[m.ID]
	most := s.api.o.Limits.Operations
	full := len(s.running) >= most || s.active >= completedToo*most
	leaving := s.leaving != nil
	if !taken && !full && !leaving {
		s.running[m.ID] = run
		s.active++
		s.answers++
	}
	s.mu.Unlock()
	switch {
	case leaving: // nothing new is begun; the close that follows makes clients ask again, elsewhere
		cancel()
		return true
	case taken:
		cancel()
		s.close(closeDuplicate, "Subscriber for "+reasonable(m.ID)+" already exists")
		return false
	case full:
		cancel()
		return s.fail(m.ID, s.api.fail(unprepared(s.ctx), rateLimited("too many operations run on this socket", 1)).Errors)
	}
	s.operations.Go(func() {
		defer s.left()
		defer cancel()
		s.run(ctx, m.ID, run, p)
	})
	return true
}

// completedToo is by how much more than Limits.Operations may still be ending: those that the client has completed count until they
// are over, for a mutation is not stopped, and whoever completes all and asks anew at once is not refused.
const completedToo = 2

// left: one operation is over.
func (s *socket) left() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.active--
}

// answered: an operation has been answered, or is a subscription.
func (s *socket) answered() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.answers--; s.answers == 0 && s.leaving != nil {
		close(s.leaving)
	}
}

// maxReason of a close frame, in bytes, is left for an id (RFC 6455 §5.5).
const maxReason = 80

// reasonable is an id as a close frame has room for it.
func reasonable(id string) string {
	if len(id) <= maxReason {
		return id
	}
	return strings.ToValidUTF8(id[:maxReason], "") + "…"
}

// stop ends an operation that the client has completed; its id is free at once.
func (s *socket) stop(id string) {
	s.mu.Lock()
	run := s.running[id]
	delete(s.running, id)
	s.mu.Unlock()
	if run != nil {
		run.cancel()
	}
}

// wanted: the client has not completed the operation. Its id may belong to another by now.
func (s *socket) wanted(id string, run *running) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[id] == run
}

// done frees the id; false where the client has completed the operation itself and wants to hear no more of it.
func (s *socket) done(id string, run *running) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running[id] != run {
		return false
	}
	delete(s.running, id)
	return true
}

// run executes one operation: next for each response, then complete; or a single error.
func (s *socket) run(ctx context.Context, id string, run *running, p *graphql.RawParams) {
	defer func() {
		if p := recover(); p != nil {
			s.api.o.Log.ErrorContext(ctx, "panic", "panic", p, "stack", string(debug.Stack()))
			if s.done(id, run) {
				s.fail(id, gqlerror.List{failure(codeInternal, "something went wrong on our side")})
			}
		}
	}()
	answered := sync.OnceFunc(s.answered)
	defer answered()
	ctx, span := traceMessage(ctx, s.headers)
	defer span.End()
	ctx, op, errs := s.begin(ctx, p)
	if len(errs) > 0 {
		resp := s.api.fail(ctx, errs)
		if s.done(id, run) {
			s.fail(id, resp.Errors)
		}
		return
	}
	if op.Operation.Operation != ast.Subscription {
		s.next(id, run, s.api.execute(ctx, op))
	} else {
		answered()
		if !s.follow(ctx, id, run, op) {
			return
		}
	}
	if s.done(id, run) && ctx.Err() == nil {
		s.send(message{ID: id, Type: "complete"})
	}
}

// begin counts the operation, then prepares it as everywhere.
func (s *socket) begin(ctx context.Context, p *graphql.RawParams) (context.Context, *graphql.OperationContext, gqlerror.List) {
	if errs := s.api.limitOperation(ctx); errs != nil {
		return unprepared(ctx), nil, errs
	}
	return s.api.begin(ctx, p)
}

// follow sends every event of a subscription; false where it did not come to its own end.
func (s *socket) follow(ctx context.Context, id string, run *running, op *graphql.OperationContext) bool {
	defer s.api.follows(ctx, op.Operation)()
	responses, ctx := s.api.exec.DispatchOperation(ctx, op)
	for resp := responses(ctx); resp != nil; resp = responses(ctx) {
		if resp.Errors = told(s.api.o.Limits, resp.Errors); !s.next(id, run, resp) {
			return false
		}
	}
	// With the token the whole socket ends, so that the client does not take this for the end of the story.
	return !expired(ctx)
}

// next sends one response; false where nobody is going to hear another.
func (s *socket) next(id string, run *running, resp *graphql.Response) bool {
	if !s.wanted(id, run) {
		return false
	}
	b := getBuffer()
	defer putBuffer(b)
	b.WriteString(`{"id":`)
	writeJSON(b, id)
	b.WriteString(`,"type":"next","payload":`)
	write(b, resp)
	b.WriteByte('}')
	return s.write(b.Bytes())
}

// fail ends an operation that was not executed; nothing follows an error.
func (s *socket) fail(id string, errs gqlerror.List) bool {
	payload, err := json.Marshal(told(s.api.o.Limits, errs))
	if err != nil {
		panic(err)
	}
	return s.send(message{ID: id, Type: "error", Payload: payload})
}
