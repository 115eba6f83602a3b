package httpapi

import (
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/rs/cors"
)

// origins are the pages that may call us across sites; the same origin always may.
type origins map[string]bool

func newOrigins(list []string) origins {
	o := origins{}
	for _, origin := range list {
		o[strings.ToLower(origin)] = true
	}
	return o
}

// allows judges the Origin header of a browser (RFC 6454). No header: not a browser's cross-site request.
func (o origins) allows(r *http.Request) bool {
	given := r.Header.Get("Origin")
	if given == "" || o[strings.ToLower(given)] {
		return true
	}
	u, err := url.Parse(given)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// cors answers preflights and marks answers for the listed origins (Fetch standard). The API takes no cookies, so
// credentials are never allowed.
func (o origins) cors(next http.Handler) http.Handler {
	if len(o) == 0 {
		return next // the same origin needs no header, and others get none
	}
	return cors.New(cors.Options{
		AllowOriginFunc: func(origin string) bool { return o[strings.ToLower(origin)] },
		AllowedMethods:  []string{http.MethodGet, http.MethodPost},
		AllowedHeaders: []string{"Accept", "Accept-Language", "Authorization", "Content-Type", "Apollo-Require-Preflight",
			"X-Paydesk-Client", requestIDHeader},
		ExposedHeaders: []string{requestIDHeader, "Retry-After"},
		MaxAge:         600,
	}).Handler(next)
}

// crossSite reports whether a browser may have sent the request for another site without asking first (a "simple"
// request of the Fetch standard): then whoever is signed in did not mean it. Headers of our own, a bearer token and the
// media type of JSON all force a preflight; browsers say by Sec-Fetch-Site when it is their user's own doing.
func crossSite(r *http.Request) bool {
	h := r.Header
	if h.Get("Apollo-Require-Preflight") != "" || h.Get("X-Paydesk-Client") != "" || h.Get("Authorization") != "" {
		return false
	}
	switch h.Get("Sec-Fetch-Site") {
	case "same-origin", "none":
		return false
	}
	kind := h.Get("Content-Type")
	if kind == "" {
		return true
	}
	media, _, err := mime.ParseMediaType(kind)
	if err != nil {
		return true
	}
	switch media {
	case "application/x-www-form-urlencoded", "multipart/form-data", "text/plain":
		return true
	}
	return false
}
