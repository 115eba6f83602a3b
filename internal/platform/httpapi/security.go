package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
)

// headers are set on every answer; handlers that serve documents put their own policy over it. Values are shared: nobody
// changes them in place.
type headers []struct {
	name  string
	value []string
}

// safeHeaders are what every answer says to browsers: it is what its type says, it is nothing to be framed or to run, no other
// site may embed it, and no link leads out of it. Where people know us by https they stay with it (RFC 6797).
func safeHeaders(public string) headers {
	h := headers{
		{"X-Content-Type-Options", []string{"nosniff"}},
		{"Referrer-Policy", []string{"no-referrer"}},
		{"X-Frame-Options", []string{"DENY"}},
		{"Content-Security-Policy", []string{"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"}},
		{"Cross-Origin-Opener-Policy", []string{"same-origin"}},
		{"Cross-Origin-Resource-Policy", []string{"same-origin"}},
		{"Permissions-Policy", []string{"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"}},
	}
	if strings.HasPrefix(strings.ToLower(public), "https://") {
		h = append(h, headers{{"Strict-Transport-Security", []string{"max-age=31536000"}}}...)
	}
	return h
}

func (hs headers) set(h http.Header) {
	for _, x := range hs {
		h[x.name] = x.value
	}
}

// withToken lets in who brings the token as a bearer; everybody where there is none. The time it takes does not tell how much
// of a token was right.
func withToken(token string, next http.Handler) http.Handler {
	if token == "" {
		return next
	}
	want := sha256.Sum256([]byte(token))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, err := bearer(r.Header.Get("Authorization"))
		sum := sha256.Sum256([]byte(given))
		if err != nil || subtle.ConstantTimeCompare(sum[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			refuse(w, r, http.StatusUnauthorized, codeUnauthenticated, "this wants its token")
			return
		}
		next.ServeHTTP(w, r)
	})
}
