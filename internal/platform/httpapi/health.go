package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
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
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	var failing []string
	if a.isDraining() {
		failing = append(failing, "draining")
	}
	for _, c := range a.o.Ready {
		if err := c.Run(ctx); err != nil {
			failing = append(failing, c.Name)
			a.o.Log.WarnContext(r.Context(), "not ready", "what", c.Name, "error", err)
		}
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
