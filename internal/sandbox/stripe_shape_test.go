package sandbox_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
)

// stripeSchema is what Stripe's own description of its API says of an object; stripe-mock carries it.
type stripeSchema struct {
	Required   []string
	Properties map[string]struct{ Enum []any }
}

func stripeSchemas(t *testing.T) map[string]stripeSchema {
	t.Helper()
	dir, err := exec.Command("go", "list", "-modfile=../../tools/stripe-mock/go.mod", "-m", "-f", "{{.Dir}}", "github.com/stripe/stripe-mock").Output()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "embedded", "openapi", "spec3.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Components struct{ Schemas map[string]stripeSchema }
	}
	if err := json.Unmarshal(text, &spec); err != nil {
		t.Fatal(err)
	}
	return spec.Components.Schemas
}

// misshapen names what objects lack that Stripe's always have, and have that Stripe's never have.
func misshapen(schemas map[string]stripeSchema, v any, found map[string]bool) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			misshapen(schemas, x, found)
		}
	case map[string]any:
		kind, _ := v["object"].(string)
		s, known := schemas[kind]
		for _, name := range s.Required {
			if _, ok := v[name]; !ok {
				found[kind+" lacks "+name] = true
			}
		}
		for name, x := range v {
			p, ok := s.Properties[name]
			if known && !ok {
				found[kind+" has "+name] = true
			}
			if text, is := x.(string); is && len(p.Enum) > 0 && !slices.Contains(p.Enum, any(text)) {
				found[fmt.Sprintf("%s: %s is %s", kind, name, text)] = true
			}
			misshapen(schemas, x, found)
		}
		if known {
			found["seen "+kind] = true
		}
	}
}

// The objects of answers and events have the shape that Stripe describes: an adapter that reads ours reads Stripe's.
func stripeShapes(t *testing.T, w *world, a channel.Adapter) {
	w.clock.advance(48 * time.Hour) // a day of its own
	day := channel.DayOf(a, w.clock.Now())
	found, schemas := map[string]bool{}, stripeSchemas(t)
	look := func(text string) {
		t.Helper()
		var v any
		if err := json.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		misshapen(schemas, v, found)
	}
	get := func(path string) { t.Helper(); _, text := w.stripe("GET", path, nil); look(text) }

	token := w.cardToken(visa)
	get("/v1/payment_methods/" + token)
	for _, card := range []string{"4000000000000259", visa3DS, "4000000000000002"} {
		r := w.request(a, card)
		_, _ = a.Start(t.Context(), r)
		get("/v1/payment_intents/search?" + url.Values{"query": {"metadata['number']:'" + r.Number + "'"}}.Encode())
		if card == visa3DS {
			_ = a.Close(t.Context(), r.Ref)
			get("/v1/payment_intents/search?" + url.Values{"query": {"metadata['number']:'" + r.Number + "'"}}.Encode())
		}
	}
	number, _ := w.start(a)
	w.refund(a, channel.RefundRequest{Payment: w.ref(number), Refund: channel.Ref{Number: freshNumber(), Amount: usd(10)}})
	get("/v1/refunds?payment_intent=" + w.ref(number).Reference)
	from, to := a.StatementDay(day)
	get("/v1/balance_transactions?" + url.Values{"created[gte]": {fmt.Sprint(from.Unix())}, "created[lt]": {fmt.Sprint(to.Unix())}, "expand[]": {"data.source", "data.source.charge"}, "limit": {"100"}}.Encode())
	for range 7 { // paid and disputed: 3; canceled, declined, paid, refunded
		look(string(w.hears().Body))
	}
	w.hearsNothing()
	for _, kind := range []string{"payment_method", "payment_intent", "charge", "refund", "dispute", "balance_transaction", "event"} {
		if !found["seen "+kind] {
			t.Errorf("no %s", kind)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(found)) {
		if !strings.HasPrefix(what, "seen ") {
			t.Error(what)
		}
	}
}
