package e2e

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

// TestMatrix asks everything the schema offers as everybody who has no business with it: with no token, an expired one, each
// role of other accounts with an account's ids, each role of the account that may not. There is no data, no effect and the
// right code (contract §2, §3, §7; PA-5, TX-3, lesson 24). What is asked is made from the printed schema; what is expected
// follows from the directives and from what an argument names, so a new field is covered on the day it is served.
func TestMatrix(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		w := newMatrixWorld(t, home)
		w.taught(t)
		before := w.snapshot(t, w.owner)
		for _, o := range w.everything(t) {
			t.Run(o.name, func(t *testing.T) {
				w.strangers(t, o)
				after := w.snapshot(t, w.owner)
				if effect := changed(before, after); effect != "" {
					t.Errorf("somebody's %s had an effect on the account:\n%s", o.name, effect)
				}
				before = after
			})
		}
		t.Run("streams hear nothing of others", w.quiet)
		// Last, for these have effects: what nobody else may do, the account's own people can. Were an operation refused for
		// its arguments, the refusals above would prove nothing.
		for _, o := range w.everything(t) {
			t.Run("its own people: "+o.name, func(t *testing.T) { w.control(t, o) })
		}
	})
}

func (w *matrixWorld) everything(t *testing.T) (out []operation) {
	for _, root := range []string{"Query", "Mutation", "Subscription"} {
		out = append(out, w.schema.operations(root)...)
	}
	return append(out, w.schema.nested(t)...)
}

// taught: what can be made since a field is served has to be in the matrix.
func (w *matrixWorld) taught(t *testing.T) {
	t.Helper()
	for kind, n := range notYet {
		if w.schema.schema.Query.Fields.ForName(n.until) == nil && w.schema.schema.Mutation.Fields.ForName(n.until) == nil {
			continue
		}
		if _, made := w.owner.things[kind]; !made {
			t.Errorf("%s is served, so there can be a %s: make one in party() (matrix_world_test.go) and take it off notYet", n.until, kind)
		}
	}
}

// transport is a way to ask.
type transport struct {
	name string
	ask  func(o operation, t testing.TB, u user, variables map[string]any) said
}

func (o operation) transports() []transport {
	if o.kind == "subscription" {
		return []transport{{"SSE", operation.streamed}, {"WebSocket", operation.socket}}
	}
	return []transport{{"POST", operation.posted}}
}

func (o operation) posted(t testing.TB, u user, variables map[string]any) said {
	return o.post(t, u, variables)
}
func (o operation) streamed(t testing.TB, u user, variables map[string]any) said {
	return o.events(t, u, variables)
}

// strangers asks as all who may not, or may but not there.
func (w *matrixWorld) strangers(t *testing.T, o operation) {
	for _, via := range o.transports() {
		check := func(who string, u user, expect func(said) string, variables map[string]any) said {
			t.Helper()
			got := via.ask(o, t, u, variables)
			if wrong := expect(got); wrong != "" {
				t.Errorf("%s by %s: %s: %.700s", who, via.name, wrong, got.text)
			}
			for _, secret := range w.owner.secrets {
				if strings.Contains(got.text, secret) {
					t.Errorf("%s by %s is told %q of the other account: %.700s", who, via.name, secret, got.text)
				}
			}
			return got
		}
		theirs := o.variables(t, w.owner.things, nil)
		check("nobody", w.nobody, refusedWith("UNAUTHENTICATED"), theirs)
		check("an expired token", w.expired, expiredToken, theirs)
		for role, u := range w.any {
			switch {
			case !o.permits(role):
				check(role, u, refusedWith("FORBIDDEN"), theirs)
			case o.isDesk() && role != "OPERATOR":
				check(role, u, o.foreign, theirs)
			}
		}
		for role, u := range w.owner.people {
			switch {
			case !o.permits(role):
				check(role+" of the account", u, refusedWith("FORBIDDEN"), theirs)
			case o.isDesk():
				check(role+" of the account", u, o.foreign, theirs)
			}
		}
		for _, p := range []*party{w.stranger, w.partner} {
			for role, u := range p.people {
				who := role + " of another account"
				if !o.permits(role) {
					check(who, u, refusedWith("FORBIDDEN"), theirs)
					continue
				}
				got := check(who, u, o.foreign, o.against(t, p.things, w.owner.things, nil))
				w.alike(t, o, via, u, p.things, got)
			}
		}
		for role, u := range w.any {
			if o.permits(role) && o.names() {
				got := check(role+" with an id of nothing", u, o.foreign, o.against(t, w.owner.things, w.owner.things, absent))
				w.alike(t, o, via, u, w.owner.things, got)
			}
		}
	}
}

// against are variables of somebody who names his own things where he has to, and another's in the slot that is tried.
func (o operation) against(t testing.TB, own, other things, as func(kind, id string) string) map[string]any {
	t.Helper()
	if len(o.slots) == 0 {
		return o.variables(t, own, nil)
	}
	given := map[string]string{}
	for i, s := range o.slots {
		if o.wanted != nil && i < len(o.slots)-1 {
			continue // required beside the wanted one: his own
		}
		id, ok := other.get(s.kinds[0])
		if !ok {
			continue // variables says what is missing
		}
		if as != nil {
			id = as(s.kinds[0], id)
		}
		given[strings.Join(s.path, ".")] = id
	}
	return o.variables(t, own, given)
}

// absent is an id of the same kind that nobody has.
func absent(kind, id string) string {
	if prefix, _, ok := strings.Cut(id, "_"); ok && !strings.Contains(kind, ".") {
		return models.NewID().Encode(prefix)
	}
	return unique("none")
}

// otherType is an id of something else.
func otherType(kind, id string) string {
	if strings.HasPrefix(id, "acc_") {
		return models.NewID().Encode("ord")
	}
	return models.NewID().Encode("acc")
}

func nonsense(string, string) string { return "nonsense'\"\x00<" }

// names reports whether the operation names things by ids; a filter or a cursor only narrows.
func (o operation) names() bool {
	return len(o.slots) > 0 && !strings.HasSuffix(o.last().Type.Name(), "Connection")
}

// alike: what is not there, not the caller's and of another type are one and the same (contract §7).
func (w *matrixWorld) alike(t *testing.T, o operation, via transport, u user, own things, want said) {
	t.Helper()
	if !o.names() {
		return
	}
	for what, as := range map[string]func(kind, id string) string{"not there": absent, "of another type": otherType, "nonsense": nonsense} {
		if got := via.ask(o, t, u, o.against(t, own, w.owner.things, as)); got.text != want.text {
			t.Errorf("%s: an id that is %s is told apart from a foreign one:\n%.500s\n%.500s", via.name, what, got.text, want.text)
		}
	}
}

// What is wrong with an answer, "" where it is as it should be.

func refusedWith(code string) func(said) string {
	return func(s said) string {
		switch {
		case !slices.Equal(s.codes, []string{code}):
			return "wanted " + code
		case hasData(s.data):
			return "there is data"
		}
		return ""
	}
}

// expiredToken is 401 by HTTP and close 4401 on a socket (contract §3).
func expiredToken(s said) string {
	if s.closed == 4401 && s.text == "" {
		return ""
	}
	if s.status != 401 {
		return "wanted 401, or 4401 on a socket"
	}
	return refusedWith("UNAUTHENTICATED")(s)
}

// foreign is how an operation answers one who may use it, but names what is not his.
func (o operation) foreign(s said) string {
	switch {
	case !o.names():
		return own(s)
	case o.kind == "mutation":
		return o.refusedMutation(s)
	case o.kind == "subscription":
		return refusedWith("NOT_FOUND")(s)
	case len(s.codes) > 0:
		return refusedWith("NOT_FOUND")(s)
	case hasData(s.data):
		return "there is data"
	}
	return ""
}

// own is the answer about one's own account: that nothing of the other is in it is searched for all the same.
func own(s said) string {
	if len(s.codes) > 0 && !slices.Equal(s.codes, []string{"BAD_USER_INPUT"}) { // a cursor of another kind of list
		return "wanted an answer about one's own account"
	}
	return ""
}

// refusedMutation: a required id that is not the caller's is …_NOT_FOUND and nothing else (INVALID_INPUT for what only operators know, which
// has no code of its own); with an optional one the mutation is refused for whatever reason.
func (o operation) refusedMutation(s said) string {
	codes := userCodes(s.data)
	switch {
	case len(s.codes) > 0:
		return "wanted the error in the payload"
	case o.isDesk() && slices.Equal(codes, []string{"INVALID_INPUT"}):
		return ""
	case len(codes) == 0:
		return "it was done"
	case o.wanted == nil && (len(codes) != 1 || !strings.HasSuffix(codes[0], "_NOT_FOUND")):
		return "wanted one …_NOT_FOUND"
	}
	return ""
}

// userCodes are the codes in the errors of a mutation's payload.
func userCodes(data map[string]any) (out []string) {
	for _, payload := range data {
		fields, _ := payload.(map[string]any)
		list, _ := fields["errors"].([]any)
		for _, e := range list {
			if e, ok := e.(map[string]any); ok {
				code, _ := e["code"].(string)
				out = append(out, code)
			}
		}
	}
	return out
}

// hasData reports whether anything but null and lists of null is there.
func hasData(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case map[string]any:
		for _, field := range v {
			if hasData(field) {
				return true
			}
		}
		return false
	case []any:
		return slices.ContainsFunc(v, hasData)
	}
	return true
}

// control: the same operation, asked by one who may, is answered.
func (w *matrixWorld) control(t *testing.T, o operation) {
	for _, s := range o.slots {
		if _, made := w.owner.things[s.kinds[0]]; !made {
			return // its id was made up
		}
	}
	u, who := w.mayDo(t, o)
	for _, via := range o.transports() {
		got := via.ask(o, t, u, o.variables(t, w.owner.things, nil))
		_, optional := w.schema.slots(o.last())
		switch {
		case len(o.slots) == 0 && len(optional) > 1 && slices.Equal(got.codes, []string{"BAD_USER_INPUT"}):
			// It wants one of the optional arguments: those have controls of their own.
		case len(got.codes) > 0 || !hasData(got.data):
			t.Errorf("%s by %s gets no answer: %.500s", who, via.name, got.text)
		case slices.ContainsFunc(userCodes(got.data), func(code string) bool { return strings.HasSuffix(code, "_NOT_FOUND") }):
			t.Errorf("%s by %s does not find its own: %.500s", who, via.name, got.text)
		case o.kind != "mutation" && len(o.slots) > 0 && !strings.Contains(strings.Join(o.slots[0].kinds, ""), ".cursor") &&
			!slices.ContainsFunc(w.owner.secrets, func(secret string) bool { return strings.Contains(got.text, secret) }):
			t.Errorf("%s by %s is told nothing: %.500s", who, via.name, got.text)
		}
	}
}

// mayDo is somebody who may: of the account's people, else of those who belong to no account.
func (w *matrixWorld) mayDo(t *testing.T, o operation) (user, string) {
	t.Helper()
	for _, role := range customers {
		if o.permits(role) && !o.isDesk() {
			return w.owner.people[role], role
		}
	}
	for _, role := range []string{"OPERATOR", "SERVICE"} {
		if o.permits(role) {
			return w.any[role], role
		}
	}
	t.Fatal("nobody may")
	return user{}, ""
}

// quiet: one who watches his own balance is not woken with what happens to another's.
func (w *matrixWorld) quiet(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	conn := dial(t, ctx, w.URL)
	defer func() { _ = conn.CloseNow() }()
	for _, text := range []string{`{"type":"connection_init","payload":{"authorization":"Bearer ` + w.stranger.token + `"}}`,
		`{"id":"1","type":"subscribe","payload":{"query":"subscription { balanceChanged { id version available { amount } } }"}}`} {
		if err := conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	next := func() string {
		for {
			_, text, err := conn.Read(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var f frame
			if err := json.Unmarshal(text, &f); err != nil {
				t.Fatal(err)
			}
			if f.Type == "next" {
				return string(f.Payload)
			}
		}
	}
	first := next()
	w.owner.charge(t, "ALIPAY", "7.77")
	w.stranger.charge(t, "ALIPAY", "1.00")
	for payload := next(); ; payload = next() {
		if payload == first {
			t.Error("woken without a change:", payload)
		}
		if strings.Contains(payload, "7.77") || strings.Contains(payload, strings.TrimPrefix(w.owner.AccountID, "acc_")) {
			t.Error("told of the other account:", payload)
		}
		if payload != first {
			return
		}
	}
}
