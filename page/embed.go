// Package page is the plain page at /: a customer's main job (balance, top-up, waiting orders, payments, statement) in one
// HTML file, one style sheet and a few ES modules, as they are, without a build step. It talks to /graphql like any client.
package page

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
)

//go:embed static
var static embed.FS

// policy: scripts, styles and calls are ours alone, and no script makes markup out of text. Pictures and the sandbox's card field may come
// from the public address too, because they are linked with PAYDESK_PUBLIC_URL, which need not be the name that the browser used. Forms
// go to the providers that want the payer's browser to post one.
func policy(public string, providers []string) string {
	forms := "'self' " + public
	for _, p := range providers {
		forms += sources(p)
	}
	return "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: " + public + "; connect-src 'self'; frame-src 'self' " + public + "; " +
		"base-uri 'none'; form-action " + forms + "; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
}

// sources are a provider's origin and those beside it: browsers hold the policy against where a posted form is redirected, too, and
// gateway.95516.com may go on to cashier.95516.com.
func sources(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, ";, ") {
		return ""
	}
	out := " " + u.Scheme + "://" + u.Host
	if _, family, ok := strings.Cut(u.Host, "."); ok && u.Scheme == "https" && strings.Contains(family, ".") && net.ParseIP(u.Hostname()) == nil {
		out += " https://*." + family
	}
	return out
}

// Handler serves the page, to people who may know us by a public address (scheme and host), and who are sent to these providers' addresses
// with forms. It is mounted at / and answers 404 for what it does not have.
func Handler(public string, providers ...string) http.Handler {
	files, err := fs.Sub(static, "static")
	if err != nil {
		panic(err) // the folder is in the binary
	}
	serve, tags, policy := http.FileServerFS(files), etags(files), policy(public, providers)
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
