// Package page is the plain page at /: a customer's main job (balance, top-up, waiting orders, payments, statement) in one
// HTML file, one style sheet and a few ES modules, as they are, without a build step. It talks to /graphql like any client.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed static
var static embed.FS

// policy: scripts, styles and calls are ours alone, and no script makes markup out of text. Pictures may come from the public
// address too, because QR codes are linked with PAYDESK_PUBLIC_URL, which need not be the name that the browser used.
func policy(public string) string {
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: " + public + "; connect-src 'self'; " +
		"base-uri 'none'; form-action 'self'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

// Handler serves the page, to people who may know us by a public address (scheme and host). It is mounted at / and answers 404
// for what it does not have.
func Handler(public string) http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is in the binary
	}
	serve, tags, policy := http.FileServerFS(files), etags(files), policy(public)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" {
			name = "index.html"
		}
		tag, known := tags[name]
		if !known || strings.HasSuffix(r.URL.Path, "index.html") {
			http.NotFound(w, r)
			return
		}
		h := w.Header()
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "the page is read", http.StatusMethodNotAllowed)
			return
		}
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-cache") // kept, but asked for each time: a new binary is a new page
		h.Set("ETag", tag)
		serve.ServeHTTP(w, r)
	})
}

// etags are the files' hashes: embedded files have no times to compare.
func etags(files fs.FS) map[string]string {
	tags := map[string]string{}
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, path)
		sum := sha256.Sum256(content)
		tags[path] = `"` + hex.EncodeToString(sum[:8]) + `"`
		return err
	})
	if err != nil {
		panic(err)
	}
	return tags
}
