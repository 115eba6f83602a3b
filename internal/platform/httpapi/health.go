package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Check is one thing that must work before traffic is welcome: the database, Redis, migrations.
type Check struct {
	Name string
	Run  func(ctx context.Context) error
}

// healthz says that the process lives.
func healthz(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", mediaJSON+utf8)
	_, _ = w.Write([]byte(`{"status":"ok"}`))
}

const checkTimeout = 2 * time.Second

// readyz is 503 while something is not ready, and names it; why is for the log.
func (a *API) readyz(w http.ResponseWriter, r *http.Request) {
	failing := a.notReady(r.Context())
	if a.isDraining() {
		failing = append(failing, "draining")
	}
	h := w.Header()
	h.Set("Content-Type", mediaJSON+utf8)
	h.Set("Cache-Control", "no-store")
	if len(failing) == 0 {
		_, _ = w.Write([]byte(`{"status":"ready"}`))
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "not ready", "notReady": failing})
}

// notReady names the checks that fail, in their order. They run side by side: one that hangs takes no time from the others.
func (a *API) notReady(ctx context.Context) (names []string) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	errs := make([]error, len(a.o.Ready))
	var all sync.WaitGroup
	for i, c := range a.o.Ready {
		all.Go(func() { errs[i] = c.Run(ctx) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			names = append(names, a.o.Ready[i].Name)
			a.o.Log.WarnContext(ctx, "not ready", "what", a.o.Ready[i].Name, "error", err)
		}
	}
	return names
}
