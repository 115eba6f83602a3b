// Package console holds the bundled browser tools: for now GraphiQL with the main job's operations. `npm --prefix console
// ci && npm --prefix console run build` makes them; without it a placeholder says so, and everything else works.
package console

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed all:dist
var dist embed.FS

// policy allows what Monaco needs and nothing from elsewhere: its styles are set by script, its workers are files of ours, its fonts lie within its styles.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
	"connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Handler serves GraphiQL. It is mounted at /graphiql/ with the path as it came. Files whose name carries their hash may be
// kept for good, the page itself is asked for each time.
func Handler() http.Handler {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the folder is in the binary
	}
	page := "index.html"
	if _, err := fs.Stat(files, page); err != nil {
		page = "placeholder.html"
	}
	serve := http.StripPrefix("/graphiql/", http.FileServerFS(files))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Content-Security-Policy", policy)
		path := strings.TrimPrefix(r.URL.Path, "/graphiql/")
		if !strings.HasPrefix(path, "assets/") {
			h.Set("Cache-Control", "no-store")
			http.ServeFileFS(w, r, files, page)
			return
		}
		if info, err := fs.Stat(files, path); err == nil && !info.IsDir() {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
			serve.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})
}
