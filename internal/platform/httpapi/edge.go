package httpapi

import (
	"net/http"
	"runtime/debug"

	"paydesk/internal/platform/telemetry"
	"paydesk/internal/platform/telemetry/trace"
	"paydesk/models"
)

const requestIDHeader = "X-Request-Id"

// edge surrounds every request: its id, security headers, and a panic that becomes INTERNAL instead of a cut connection.
func (a *API) edge(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := &telemetry.Request{ID: requestID(r)}
		h := w.Header()
		h[requestIDHeader] = []string{seen.ID}
		a.safe.set(h)
		ctx, span := telemetry.WithRequest(r.Context(), seen), trace.Span{}
		if trace.On() {
			ctx, span = incoming(ctx, r)
		}
		r = r.WithContext(ctx)
		a.metrics.inFlight.Inc()
		defer func() {
			p := recover()
			if p != nil && p != http.ErrAbortHandler { //nolint:errorlint,err113 // the sentinel that net/http compares itself
				a.o.Log.ErrorContext(r.Context(), "panic", "panic", p, "path", r.URL.Path, "stack", string(debug.Stack()))
				refuse(w, r, http.StatusInternalServerError, codeInternal, "something went wrong on our side")
				p = nil
			}
			a.left(seen, span)
			if p != nil {
				panic(p)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

const maxRequestID = 64

// requestID takes the id a proxy gave, if it is sane, else makes one.
func requestID(r *http.Request) string {
	given := r.Header.Get(requestIDHeader)
	if given == "" || len(given) > maxRequestID {
		return models.NewID().String()
	}
	for i := range len(given) {
		c := given[i]
		if c != '-' && c != '_' && c != '.' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return models.NewID().String()
		}
	}
	return given
}
