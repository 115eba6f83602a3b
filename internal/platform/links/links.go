// Package links signs the addresses of files and pictures: they work without a header for ten minutes, on the wall clock, and
// answer 403 after (contract §3, §7). All instances share the key, so that each serves what another signed, after a restart too.
package links

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"

	"paydesk/internal/platform/settings"
)

const (
	// Validity of a link, on the wall clock.
	Validity = 10 * time.Minute
	setting  = "link.key"
)

// Signer makes links and lets in who brings one. Safe for concurrent use.
type Signer struct {
	key  []byte
	base func() string
	now  func() time.Time
}

// New reads the signing key that all instances share, or makes it. base is the public URL, asked each time because the port
// may be chosen late.
func New(ctx context.Context, store settings.Store, base func() string) (*Signer, error) {
	text, err := settings.GetOrCreate(ctx, store, setting, func() string {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand)
		return base64.StdEncoding.EncodeToString(key)
	})
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	return &Signer{key: key, base: base, now: time.Now}, err
}

// At is the same signer at another time of the wall clock: tests see links end by it.
func (s *Signer) At(now func() time.Time) *Signer { return &Signer{key: s.key, base: s.base, now: now} }

// URL is the signed address of a path; it works for ten minutes. The path has nothing that an address would escape.
func (s *Signer) URL(path string) string {
	until := strconv.FormatInt(s.now().Add(Validity).Unix(), 10)
	return s.base() + path + "?until=" + until + "&signature=" + s.sign(path, until)
}

func (s *Signer) sign(path, until string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(path + "\n" + until))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// refusal says why a request may not see its path; empty where it may. How long it takes does not tell how much of a signature
// was right.
func (s *Signer) refusal(r *http.Request) string {
	q := r.URL.Query()
	until, err := strconv.ParseInt(q.Get("until"), 10, 64)
	if err != nil || !hmac.Equal([]byte(s.sign(r.URL.Path, q.Get("until"))), []byte(q.Get("signature"))) {
		return "this link is not valid"
	}
	if s.now().Unix() > until {
		return "this link is over"
	}
	return ""
}

// Guard serves what lies behind signed links: 403 where the link is wrong or over. What it serves can be shown by pages that know
// us by another name, for the link is the permission, and is nothing to be run or guessed at by a browser.
func (s *Signer) Guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if why := s.refusal(r); why != "" {
			http.Error(w, why, http.StatusForbidden)
			return
		}
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		next.ServeHTTP(w, r)
	})
}
