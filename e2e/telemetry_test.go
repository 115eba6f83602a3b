package e2e

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	trace "go.opentelemetry.io/proto/otlp/trace/v1"

	"paydesk/internal/platform/testenv"
)

// traced is a server that sends its traces at once.
func traced(collector string, more ...string) []string {
	return append([]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector, "OTEL_BSP_SCHEDULE_DELAY=50", "PAYDESK_LOG_LEVEL=debug", "PAYDESK_LOG_FORMAT=json"}, more...)
}

// within asks as a caller whose trace has an id; it gives the HTTP answer.
func (u user) within(t testing.TB, traceID, query string, variables map[string]any) string {
	t.Helper()
	body, _ := json.Marshal(map[string]any{"query": query, "variables": variables})
	r, err := http.NewRequest(http.MethodPost, u.base+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+u.token)
	r.Header.Set("traceparent", "00-"+traceID+"-00f067aa0ba902b7-01")
	_, text := answerTo(t, r)
	return text
}

// ourWords are constants of the program, such as statuses; a value of somebody's has digits, or more than a word.
var (
	ourWords   = regexp.MustCompile(`'[A-Za-z_]*'`)
	manyDigits = regexp.MustCompile(`[0-9]{5}`)
)

const (
	topUpOperation = `mutation TopUp($input: TopUpInput!) { topUp(input: $input) { payment ` + paymentFields + ` errors { code message } } }`
	payOperation   = `mutation Pay($input: PayInput!) { pay(input: $input) { payment ` + paymentFields + ` errors { code message } } }`
)

// TestTraces: a request's trace goes on from its caller's through transaction, statements, lock and channel to what is told
// afterwards; the provider's side begins its own, for nothing is sent to it; and no span holds what people sent or are.
func TestTraces(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		c := newTraces(t)
		s := start(t, homeEnv(home), options{env: traced(c.URL, "OTEL_SERVICE_NAME=desk", "OTEL_RESOURCE_ATTRIBUTES=deployment=test",
			"OTEL_EXPORTER_OTLP_HEADERS=authorization=Basic%20Y29sbGVjdG9y")})
		lin := s.customer(t)
		order := lin.orders(t, 1, "7.00")[0]

		const toppedUp, paid = "4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4736"
		keys := []string{unique("secret-key"), unique("secret-key")}
		var made struct{ Data struct{ TopUp result } }
		text := lin.within(t, toppedUp, topUpOperation, map[string]any{"input": map[string]any{"idempotencyKey": keys[0],
			"online": map[string]any{"channel": "ALIPAY", "amount": money("4321.09")}}})
		if err := json.Unmarshal([]byte(text), &made); err != nil || made.Data.TopUp.Payment == nil {
			t.Fatal(text)
		}
		payment := *made.Data.TopUp.Payment
		if err := payer(payment.NextAction.Content, "succeed"); err != nil {
			t.Fatal(err)
		}
		lin.awaitStatus(t, payment.ID, "SUCCEEDED")
		if text := lin.within(t, paid, payOperation, map[string]any{"input": map[string]any{"idempotencyKey": keys[1], "orderId": order,
			"funding": balanceOf("7.00")}}); !strings.Contains(text, "SUCCEEDED") {
			t.Fatal(text)
		}

		tree := c.awaitTree(t, toppedUp, "mutation TopUp", "idempotency lock", "transaction", "COMMIT", "INSERT payments", "ALIPAY start", "outbox publish")
		root := tree["mutation TopUp"][0]
		if hex.EncodeToString(root.ParentSpanId) != "00f067aa0ba902b7" || root.Kind != trace.Span_SPAN_KIND_SERVER {
			t.Errorf("the request's span is a %v beneath %x", root.Kind, root.ParentSpanId)
		}
		wants(t, root, map[string]string{"graphql.operation.name": "TopUp", "graphql.operation.type": "mutation", "http.route": "/graphql",
			"paydesk.account.id": lin.AccountID, "paydesk.payment.id": payment.ID})
		beneath(t, tree, "ALIPAY start", "mutation TopUp")
		beneath(t, tree, "INSERT payments", "transaction")
		beneath(t, tree, "transaction", "mutation TopUp")
		beneath(t, tree, "COMMIT", "transaction")
		beneath(t, tree, "idempotency lock", "mutation TopUp")
		wants(t, tree["ALIPAY start"][0], map[string]string{"paydesk.channel": "ALIPAY", "paydesk.channel.outcome": "ok"})
		wants(t, tree["INSERT payments"][0], map[string]string{"db.system.name": map[bool]string{true: "sqlite", false: "mysql"}[strings.HasPrefix(home.DatabaseURL, "sqlite")]})
		c.awaitTree(t, paid, "mutation Pay", "transaction", "INSERT postings", "outbox publish")

		// The provider, here the sandbox in the same process, has traces of its own; so has its notification.
		for _, name := range []string{"POST /sandbox/*", "POST /webhooks/{channel}"} {
			await(t, 10*time.Second, "a span "+name, func() (bool, error) { return len(c.named(name)) > 0, nil })
			for _, span := range c.named(name) {
				if id := hex.EncodeToString(span.TraceId); id == toppedUp || len(span.ParentSpanId) > 0 {
					t.Errorf("%s knows the trace of the one who pays", name)
				}
			}
		}
		wants(t, c.named("POST /webhooks/{channel}")[0], map[string]string{"paydesk.payment.id": payment.ID, "paydesk.verdict": "APPLIED"})

		for _, secret := range append(keys, lin.token, lin.token[len(lin.token)-20:], "Li Na", "li.na@example.com", "13800138000", "4321.09", "432109", payment.NextAction.Content, "idempotencyKey: ") {
			if c.holds(secret) {
				t.Errorf("a trace holds %q", secret)
			}
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.service != "desk test" || c.header.Get("Authorization") != "Basic Y29sbGVjdG9y" {
			t.Errorf("service %q, headers %v", c.service, c.header)
		}
		for _, span := range c.spans {
			text := attributes(span.Attributes)["db.query.text"]
			if bare := ourWords.ReplaceAllString(text, ""); strings.ContainsAny(bare, "'\"") || manyDigits.MatchString(bare) {
				t.Errorf("a statement with a value: %s", text)
			}
			if len(span.Events) > 0 {
				t.Errorf("%s has events: %v", span.Name, span.Events)
			}
		}
		logged := s.log.tail(1 << 20)
		if !strings.Contains(logged, `"trace":"`+toppedUp+`"`) {
			t.Error("no line of the log names the trace")
		}
	})
}

// awaitTree waits until a trace has spans of all these names.
func (c *traces) awaitTree(t testing.TB, traceID string, names ...string) (tree map[string][]*trace.Span) {
	t.Helper()
	await(t, 15*time.Second, "the spans of a trace", func() (bool, error) {
		tree = c.of(traceID)
		for _, name := range names {
			if len(tree[name]) == 0 {
				return false, fmt.Errorf("no %q among %v", name, slices.Sorted(maps.Keys(tree)))
			}
		}
		return true, nil
	})
	return tree
}

// beneath wants every span of a name to have a span of another above it.
func beneath(t testing.TB, tree map[string][]*trace.Span, name, above string) {
	t.Helper()
	for _, span := range tree[name] {
		if !slices.ContainsFunc(tree[above], func(p *trace.Span) bool { return bytes.Equal(p.SpanId, span.ParentSpanId) }) {
			t.Errorf("%s is not beneath %s", name, above)
		}
	}
}

func wants(t testing.TB, span *trace.Span, want map[string]string) {
	t.Helper()
	have := attributes(span.Attributes)
	for key, value := range want {
		if have[key] != value {
			t.Errorf("%s: %s is %q, want %q", span.Name, key, have[key], value)
		}
	}
}

// TestNoTraces: without a collector, and where the switch says so, nothing is sent and no line names a trace.
func TestNoTraces(t *testing.T) {
	c := newTraces(t)
	for name, env := range map[string][]string{
		"no collector": {"PAYDESK_LOG_LEVEL=debug"}, "disabled": traced(c.URL, "OTEL_SDK_DISABLED=true"), "none": traced(c.URL, "OTEL_TRACES_EXPORTER=none"),
		"never sampled": traced(c.URL, "OTEL_TRACES_SAMPLER=always_off"),
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, nil, options{env: env})
			u := s.signIn(t, "OPERATOR", "")
			u.within(t, "4bf92f3577b34da6a3ce929d0e0e4736", "{ __typename }", nil)
			s.stop(t)
			if name != "never sampled" && strings.Contains(s.log.tail(1<<20), "4bf92f3577b34da6a3ce929d0e0e4736") {
				t.Error("the log names a trace")
			}
		})
	}
	if len(c.spans) > 0 { // the servers have ended
		t.Errorf("%d spans were sent", len(c.spans))
	}
}

// TestCollectorIsAway: a collector that takes nothing, or hangs, is nobody else's trouble; the log says so now and then, and a
// drain does not wait for it.
func TestCollectorIsAway(t *testing.T) {
	hanging, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	for name, address := range map[string]string{"refuses": "http://" + freeAddress(t), "hangs": "http://" + hanging.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			s := start(t, nil, options{env: traced(address, "OTEL_BSP_MAX_QUEUE_SIZE=64", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE=16", "OTEL_BSP_EXPORT_TIMEOUT=200")})
			u := s.signIn(t, "OPERATOR", "")
			begin := time.Now()
			for range 300 { // many more than the queue holds
				var out map[string]any
				u.must(t, "{ __typename }", nil, &out)
			}
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("300 requests took %v", took)
			}
			await(t, 10*time.Second, "a word about it", func() (bool, error) { return strings.Contains(s.log.tail(1<<20), "traces are not delivered"), nil })
			begin = time.Now()
			s.stop(t)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("the end took %v", took)
			}
			if n := strings.Count(s.log.tail(1<<20), "traces are not delivered"); n != 1 {
				t.Errorf("it was said %d times", n)
			}
		})
	}
}

// TestTracesAreFlushed: what was recorded just before the end arrives.
func TestTracesAreFlushed(t *testing.T) {
	c := newTraces(t)
	s := start(t, nil, options{env: traced(c.URL, "OTEL_BSP_SCHEDULE_DELAY=60000")})
	u := s.signIn(t, "OPERATOR", "")
	u.within(t, "4bf92f3577b34da6a3ce929d0e0e4736", "query Last { __typename }", nil)
	s.stop(t)
	if len(c.of("4bf92f3577b34da6a3ce929d0e0e4736")["query Last"]) != 1 {
		t.Error("the last span is lost")
	}
}
