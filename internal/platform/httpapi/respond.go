package httpapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"

	"paydesk/internal/platform/telemetry"
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// maxPooled keeps one giant answer from holding its memory for ever.
const maxPooled = 1 << 20

func getBuffer() *bytes.Buffer {
	b := buffers.Get().(*bytes.Buffer)
	b.Reset()
	return b
}

func putBuffer(b *bytes.Buffer) {
	if b.Cap() <= maxPooled {
		buffers.Put(b)
	}
}

// write puts a response as JSON into b. Data is finished JSON and is copied as it is; a request that failed before it was
// executed has no data member (GraphQL over HTTP, §6.4).
func write(b *bytes.Buffer, resp *graphql.Response) {
	b.WriteByte('{')
	comma := ""
	if len(resp.Errors) > 0 {
		b.WriteString(`"errors":`)
		writeJSON(b, resp.Errors)
		comma = ","
	}
	if len(resp.Data) > 0 {
		b.WriteString(comma + `"data":`)
		b.Write(resp.Data)
		comma = ","
	}
	if len(resp.Extensions) > 0 {
		b.WriteString(comma + `"extensions":`)
		writeJSON(b, resp.Extensions)
	}
	b.WriteByte('}')
}

func writeJSON(b *bytes.Buffer, v any) {
	text, err := json.Marshal(v)
	if err != nil { // an extension that is no JSON is our own mistake
		panic(err)
	}
	b.Write(text)
}

// respond sends a response with its length.
func respond(w http.ResponseWriter, r *http.Request, media string, status int, resp *graphql.Response) {
	b := getBuffer()
	defer putBuffer(b)
	write(b, resp)
	h := w.Header()
	h["Content-Type"] = contentTypes[media]
	h["Cache-Control"] = noStore
	h["Vary"] = vary
	if status == http.StatusTooManyRequests {
		retryAfter(h, resp.Errors)
	}
	if b.Len() >= gzipFrom && wantsGzip(r) {
		if packed := pack(b); packed != nil {
			defer putBuffer(packed)
			h["Content-Encoding"] = gzipped
			b = packed
		}
	}
	h["Content-Length"] = []string{strconv.Itoa(b.Len())}
	telemetry.RequestOf(r.Context()).Status = status
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes())
}

var (
	contentTypes = map[string][]string{mediaJSON: {mediaJSON + utf8}, mediaResponse: {mediaResponse + utf8}}
	noStore      = []string{"no-store"}
	vary         = []string{"Accept, Accept-Encoding, Accept-Language, Authorization, Origin"}
	gzipped      = []string{"gzip"}
)

// gzipFrom is the size, in bytes, from which packing is worth its time.
const gzipFrom = 2 << 10

// wantsGzip: the client asks for it, and there is a network to spare. A peer on this machine, a proxy among them, gets
// plain bytes; the proxy packs by itself.
func wantsGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") &&
		!strings.HasPrefix(r.RemoteAddr, "127.") && !strings.HasPrefix(r.RemoteAddr, "[::1]")
}

var packers = sync.Pool{New: func() any {
	z, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
	if err != nil { // for a wrong level only
		panic(err)
	}
	return z
}}

// pack compresses into a buffer of the pool, nil where that fails.
func pack(b *bytes.Buffer) *bytes.Buffer {
	out := getBuffer()
	z := packers.Get().(*gzip.Writer)
	defer packers.Put(z)
	z.Reset(out)
	if _, err := z.Write(b.Bytes()); err != nil {
		return nil
	}
	if err := z.Close(); err != nil {
		return nil
	}
	return out
}
