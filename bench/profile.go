package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"paydesk/internal/platform/testenv/servers"
)

// profiled is a file that is laid over the product's main package when a profile is wanted: the product itself has no such
// door.
const profiled = `package main

import (
	"log"
	"net/http"
	_ "net/http/pprof"
	"os"
)

func init() {
	go func() { log.Fatal(http.ListenAndServe(os.Getenv("BENCH_PPROF"), nil)) }()
}
`

// overlay writes the extra file and what `go build -overlay` wants to know of it.
func (h *harness) overlay() (string, error) {
	root, err := servers.Root()
	if err != nil {
		return "", err
	}
	file, list := filepath.Join(h.dir, "profiled.go"), filepath.Join(h.dir, "overlay.json")
	text, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, "zz_profiled.go"): file}})
	if err == nil {
		err = os.WriteFile(file, []byte(profiled), 0o600)
	}
	if err == nil {
		err = os.WriteFile(list, text, 0o600)
	}
	return list, err
}

// profileOf asks paydesk for profiles while it is under load and writes them beside each other: cpu and allocs.
func (h *harness) profileOf(ctx context.Context, o operation, clients int) {
	name := strings.NewReplacer(" ", "-", ",", "").Replace(o.name)
	for _, kind := range []struct{ file, query string }{{"cpu", fmt.Sprintf("profile?seconds=%d", max(1, int(h.seconds)))}, {"allocs", "allocs"}} {
		if err := h.fetch(ctx, kind.query, filepath.Join(h.profile, fmt.Sprintf("%s-%d.%s.pprof", name, clients, kind.file))); err != nil {
			fmt.Fprintln(os.Stderr, "profile:", err)
		}
	}
}

func (h *harness) fetch(ctx context.Context, query, file string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+h.pprof+"/debug/pprof/"+query, nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = io.Copy(out, answer.Body)
	return err
}
