// Package qr serves the pictures of payments' QR codes under signed links: they work without a header for ten minutes
// and answer 403 after (contract, chapter 3).
package qr

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/boombuler/barcode"
	barcodeqr "github.com/boombuler/barcode/qr"

	"paydesk/internal/platform/settings"
	"paydesk/models"
)

const (
	// Prefix of the pictures' paths; what follows is the payment's id.
	Prefix = "/qr/"
	// validity of a link, on the wall clock.
	validity = 10 * time.Minute
	setting  = "link.key"
)

// Content looks up what the QR code of a payment holds; ok is false where it has none (any more).
type Content func(ctx context.Context, payment models.ID) (content string, ok bool, err error)

// Pictures makes links and serves them. Safe for concurrent use.
type Pictures struct {
	key     []byte
	base    func() string
	content Content
	now     func() time.Time
}

// New reads the signing key that all instances share, or makes it. base is the public URL, asked each time because the
// port may be chosen late.
func New(ctx context.Context, store settings.Store, base func() string, content Content) (*Pictures, error) {
	text, err := settings.GetOrCreate(ctx, store, setting, func() string {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand)
		return base64.StdEncoding.EncodeToString(key)
	})
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	return &Pictures{key: key, base: base, content: content, now: time.Now}, err
}

// URL is the signed address of a payment's picture; it works for ten minutes.
func (p *Pictures) URL(payment models.ID) string {
	path := Prefix + payment.Encode(models.PrefixPayment)
	until := strconv.FormatInt(p.now().Add(validity).Unix(), 10)
	return p.base() + path + "?until=" + until + "&signature=" + p.sign(path, until)
}

func (p *Pictures) sign(path, until string) string {
	mac := hmac.New(sha256.New, p.key)
	mac.Write([]byte(path + "\n" + until))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// ServeHTTP answers the picture as SVG: 403 where the link is wrong or over, 404 where the payment never had a code.
func (p *Pictures) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	until, err := strconv.ParseInt(q.Get("until"), 10, 64)
	if err != nil || !hmac.Equal([]byte(p.sign(r.URL.Path, q.Get("until"))), []byte(q.Get("signature"))) {
		http.Error(w, "this link is not valid", http.StatusForbidden)
		return
	}
	if p.now().Unix() > until {
		http.Error(w, "this link is over", http.StatusForbidden)
		return
	}
	id, err := models.Decode(models.PrefixPayment, strings.TrimPrefix(r.URL.Path, Prefix))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	content, ok, err := p.content(r.Context(), id)
	if err != nil {
		http.Error(w, "temporarily unavailable", http.StatusServiceUnavailable)
		return
	}
	if !ok {
		http.NotFound(w, r)
		return
	}
	picture, err := SVG(content)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "private, max-age=60")
	w.Header().Set("Cross-Origin-Resource-Policy", "cross-origin") // the page that shows it may know us by another name; the link is signed
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	_, _ = w.Write([]byte(picture))
}

// quiet is the border that scanners need, in modules (ISO/IEC 18004).
const quiet = 4

// SVG draws a QR code (error correction M) with its quiet zone; a module is one unit.
func SVG(content string) (string, error) {
	code, err := barcodeqr.Encode(content, barcodeqr.M, barcodeqr.Auto)
	if err != nil {
		return "", err
	}
	size := code.Bounds().Dx()
	full := strconv.Itoa(size + 2*quiet)
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + full + " " + full +
		`" shape-rendering="crispEdges"><rect width="100%" height="100%" fill="#fff"/><path d="`)
	for y := range size {
		for x := 0; x < size; x++ {
			if !dark(code, x, y) {
				continue
			}
			run := 1
			for x+run < size && dark(code, x+run, y) {
				run++
			}
			b.WriteString("M" + strconv.Itoa(x+quiet) + " " + strconv.Itoa(y+quiet) + "h" + strconv.Itoa(run) + "v1h-" + strconv.Itoa(run) + "z")
			x += run
		}
	}
	b.WriteString(`" fill="#000"/></svg>`)
	return b.String(), nil
}

func dark(code barcode.Barcode, x, y int) bool {
	r, _, _, _ := code.At(x, y).RGBA()
	return r == 0
}
