package e2e

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	trace "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// traces is a collector of OpenTelemetry (OTLP/HTTP) that keeps what it is sent.
type traces struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*trace.Span
	service string
	raw     []byte // every byte of every request, headers and resource included
	header  http.Header
}

func newTraces(t testing.TB) *traces {
	t.Helper()
	c := &traces{}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

func (c *traces) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		body = z
	}
	data, err := io.ReadAll(body)
	var in collector.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(data, &in) != nil {
		http.Error(w, "no traces", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw, c.header = append(c.raw, data...), r.Header.Clone()
	for _, resource := range in.ResourceSpans {
		c.service = attributes(resource.Resource.Attributes)["service.name"] + " " + attributes(resource.Resource.Attributes)["deployment"]
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	answer, _ := proto.Marshal(&collector.ExportTraceServiceResponse{})
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func attributes(of []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range of {
		if s, ok := a.Value.Value.(*common.AnyValue_StringValue); ok {
			out[a.Key] = s.StringValue
		} else {
			out[a.Key] = a.Value.String()
		}
	}
	return out
}

// of gives the spans of a trace by name, those that came so far.
func (c *traces) of(traceID string) map[string][]*trace.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string][]*trace.Span{}
	for _, s := range c.spans {
		if hex.EncodeToString(s.TraceId) == traceID {
			out[s.Name] = append(out[s.Name], s)
		}
	}
	return out
}

// named gives the spans with a name of any trace.
func (c *traces) named(name string) (out []*trace.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.Name == name {
			out = append(out, s)
		}
	}
	return out
}

// holds reports whether a text is anywhere in what was sent.
func (c *traces) holds(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Contains(string(c.raw), text)
}
