package httpapi

import (
	"context"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
)

// costly is the stub with a page: big costs its bytes. It counts how often it is asked.
type costly struct {
	*stub
	asked *atomic.Int64
}

func (w costly) Complexity(_ context.Context, _, field string, child int, args map[string]any) (int, bool) {
	w.asked.Add(1)
	switch n := args["bytes"].(type) {
	case int64:
		return int(n) + child, field == "big"
	case json.Number:
		v, _ := n.Int64()
		return int(v) + child, field == "big"
	}
	return 0, false
}

func TestCostLimit(t *testing.T) {
	w := costly{asked: &atomic.Int64{}}
	s := start(t, func(o *Options) { w.stub = o.Schema.(*stub); o.Schema = w })
	const withVariable = `{"query":"query($n: Int!) { big(bytes: $n) }","variables":{"n":%}}`
	for _, c := range []struct{ body, code string }{
		{`{"query":"{ big(bytes: 999) }"}`, ""},
		{`{"query":"{ big(bytes: 1001) }"}`, codeTooComplex},
		{`{"query":"{ big(bytes: 1001) }"}`, codeTooComplex}, // the second time as well
		{strings.Replace(withVariable, "%", "10", 1), ""},
		{strings.Replace(withVariable, "%", "1001", 1), codeTooComplex}, // what was cheap once is not cheap with every variable
		{strings.Replace(withVariable, "%", "10", 1), ""},
		{`{"query":"query A { big(bytes: 1) } query B { big(bytes: 1001) }","operationName":"A"}`, ""},
		{`{"query":"query A { big(bytes: 1) } query B { big(bytes: 1001) }","operationName":"B"}`, codeTooComplex},
	} {
		if a := s.send(t, "POST", "/graphql", c.body); a.code() != c.code {
			t.Errorf("%s: %s", c.body, a.body)
		}
	}
	s.send(t, "POST", "/graphql", `{"query":"{ hello }"}`)
	before := w.asked.Load()
	for range 5 {
		s.send(t, "POST", "/graphql", `{"query":"{ hello }"}`)
	}
	if n := w.asked.Load() - before; n != 0 {
		t.Errorf("an operation that is known to be cheap was costly again, %d times", n)
	}
}
