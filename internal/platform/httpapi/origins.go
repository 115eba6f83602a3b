package httpapi

import (
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/rs/cors"
)

// origins are the pages that may call us: those that are listed, across sites, and our own.
type origins struct {
	listed map[string]bool
	own    string // of the address that people know us by; behind a proxy the Host header may be another
}

func newOrigins(list []string, public string) origins {
	o := origins{listed: map[string]bool{}, own: strings.ToLower(public)}
	for _, origin := range list {
		o.listed[strings.ToLower(origin)] = true
	}
	return o
}

// allows judges the Origin header of a browser (RFC 6454). No header: not a browser's cross-site request. The same origin is
// that of the public address or of the Host header. X-Forwarded-Host is not believed: a proxy that changes Host wants
// PAYDESK_PUBLIC_URL, which is needed behind one anyway.
func (o origins) allows(r *http.Request) bool {
	given := strings.ToLower(r.Header.Get("Origin"))
	if given == "" || o.listed[given] || given == o.own {
		return true
	}
	u, err := url.Parse(given)
	return err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host)
}

// local reports whether a request that came to a loopback address also names one. What does not, came through a name of
// somebody else's that was pointed here (DNS rebinding): to a browser that page and we are one origin.
func (o origins) local(r *http.Request) bool {
	at, ok := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr)
	if !ok || !at.IP.IsLoopback() {
		return true
	}
	host := strings.ToLower(r.Host)
	if _, own, _ := strings.Cut(o.own, "://"); host == own {
		return true
	}
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || net.ParseIP(strings.Trim(host, "[]")) != nil
}

// allowedHeaders are what clients send beside what every page may: our own, those that force a preflight, traces (W3C), and
// the names that Apollo's and other clients give themselves.
var allowedHeaders = []string{
	"Accept", "Accept-Language", "Authorization", "Content-Type", "Apollo-Require-Preflight", "X-Paydesk-Client", requestIDHeader,
	"Traceparent", "Tracestate", "Baggage", "X-Apollo-Operation-Name", "X-Apollo-Operation-Id",
	"Apollographql-Client-Name", "Apollographql-Client-Version", "Graphql-Client-Name", "Graphql-Client-Version",
}

// cors answers preflights and marks answers for the listed origins (Fetch standard). The API takes no cookies, so
// credentials are never allowed.
func (o origins) cors(next http.Handler) http.Handler {
	if len(o.listed) == 0 {
		return next // the same origin needs no header, and others get none
	}
	return plainPreflight(cors.New(cors.Options{
		AllowOriginFunc: func(origin string) bool { return o.listed[strings.ToLower(origin)] },
		AllowedMethods:  []string{http.MethodGet, http.MethodPost},
		AllowedHeaders:  allowedHeaders,
		ExposedHeaders:  []string{requestIDHeader, "Retry-After", "WWW-Authenticate"},
		MaxAge:          600,
	}).Handler(next))
}

// plainPreflight writes the names a preflight asks for as browsers do, in lower case and sorted: the library takes nothing else, and
// other clients write them as they like.
func plainPreflight(next http.Handler) http.Handler {
	const names = "Access-Control-Request-Headers"
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if asked := r.Header.Get(names); r.Method == http.MethodOptions && asked != "" {
			list := strings.Split(strings.ToLower(asked), ",")
			for i := range list {
				list[i] = strings.TrimSpace(list[i])
			}
			slices.Sort(list)
			r.Header.Set(names, strings.Join(list, ","))
		}
		next.ServeHTTP(w, r)
	})
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
