package httpapi

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"paydesk/internal/platform/config"
	"paydesk/internal/platform/httpapi/hostile"
)

// served is the product's schema with nothing behind it.
type served struct {
	*stub
	product *ast.Schema
}

func (s served) Schema() *ast.Schema { return s.product }

// judgeOfAll gives the documents as a default configuration judges them.
func judgeOfAll(t testing.TB, dev bool) (*documents, Limits) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.LoadData()
	if err != nil {
		t.Fatal(err)
	}
	schema := gqlparser.MustLoadSchema(&ast.Source{Input: string(text)})
	d, err := newDocuments(Options{Schema: served{newStub(), schema}, Limits: cfg.Limits, Dev: dev})
	if err != nil {
		t.Fatal(err)
	}
	return d, cfg.Limits
}

const (
	costsTime   = 500 * time.Millisecond // best of three, with the race detector on a busy machine; alone each takes below 50
	costsMemory = 48 << 20
)

// No document costs much before it is refused, whatever it is made of.
func TestHostileDocumentsCostLittle(t *testing.T) {
	for _, dev := range []bool{false, true} {
		d, limits := judgeOfAll(t, dev)
		for _, h := range hostile.Documents() {
			t.Run(fmt.Sprintf("%s dev=%t", h.Name, dev), func(t *testing.T) {
				var errs gqlerror.List
				best, memory := time.Hour, uint64(1)<<63
				for range 3 {
					took, bytes := cost(func() {
						_, errs = d.prepare(context.Background(), &graphql.RawParams{Query: h.Text})
					})
					best, memory = min(best, took), min(memory, bytes)
				}
				if best > costsTime || memory > costsMemory {
					t.Errorf("took %v and %d MiB", best, memory>>20)
				}
				if len(h.Text) > limits.Body {
					t.Error("longer than a body may be:", len(h.Text))
				}
				errs = told(limits, errs)
				wanted := h.Code
				if h.Late {
					wanted = ""
				}
				switch {
				case len(errs) == 0 && wanted != "":
					t.Error("was let through")
				case len(errs) > 0 && codeOf(errs[0]) != wanted:
					t.Errorf("%v, want %s", errs[0].Message, wanted)
				}
				t.Logf("%v, %d KiB", best, memory>>10)
			})
		}
	}
}

// cost is the time and the memory that something takes.
func cost(what func()) (took time.Duration, bytes uint64) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	began := time.Now()
	what()
	took = time.Since(began)
	runtime.ReadMemStats(&after)
	return took, after.TotalAlloc - before.TotalAlloc
}

// What real clients send stays below every limit.
func TestOrdinaryDocumentsPass(t *testing.T) {
	d, _ := judgeOfAll(t, true)
	var component strings.Builder // forty components that each ask for what they show
	component.WriteString("query List { orders(first: 20) { edges { node {")
	for i := range 40 {
		fmt.Fprintf(&component, " ...C%d", i)
	}
	component.WriteString(" } } } }")
	for i := range 40 {
		fmt.Fprintf(&component, " fragment C%d on Order { id number status amountDue { amount currency } paid { amount currency } }", i)
	}
	for name, text := range map[string]string{
		"components": component.String(),
		"schema":     `{ __schema { types { name fields { name args { name type { kind name ofType { kind name ofType { name } } } } } } directives { name } } }`,
		"errors":     `mutation($i: PayInput!) { pay(input: $i) { payment { id status } errors { __typename ... on InputError { code message } ... on QuoteChanged { code message } ... on InsufficientBalance { code message available { amount } } } } }`,
	} {
		if _, errs := d.prepare(t.Context(), &graphql.RawParams{Query: text}); len(errs) > 0 {
			t.Errorf("%s: %v", name, errs)
		}
	}
}

func TestErrorsThatAreTold(t *testing.T) {
	l := Limits{Errors: 5, Refusal: 4 << 10}
	many := func(n, bytes int) (list gqlerror.List) {
		for i := range n {
			e := failure(codeBadInput, fmt.Sprint(i, strings.Repeat("x", bytes)))
			e.Path = ast.Path{ast.PathName(strings.Repeat("p", bytes)), ast.PathIndex(i)}
			e.Locations = make([]gqlerror.Location, 1000)
			list = append(list, e)
		}
		return list
	}
	for _, c := range []struct{ n, bytes, told int }{{0, 0, 0}, {5, 10, 5}, {6, 10, 5}, {5000, 10, 5}, {5, 1000, 2}, {5000, 1000, 2}, {3, 100_000, 1}} {
		given := many(c.n, c.bytes)
		got := told(l, given)
		left := c.n - c.told
		if left == 0 && len(got) != c.n || left > 0 && (len(got) != c.told+1 || got[c.told].Extensions[omittedKey] != left) {
			t.Errorf("%+v: %d errors", c, len(got))
		}
		bytes := 0
		for _, e := range got {
			_, n := shortened(e)
			bytes += n
			if codeOf(e) != codeBadInput {
				t.Errorf("%+v: %+v", c, e)
			}
		}
		if bytes > l.Refusal {
			t.Errorf("%+v: %d bytes", c, bytes)
		}
		if again := told(l, got); len(again) != len(got) {
			t.Errorf("%+v: told twice: %d", c, len(again))
		}
		if c.n > 0 && len(given[0].Locations) != 1000 {
			t.Error("what was given is changed")
		}
	}
}
