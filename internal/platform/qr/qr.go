// Package qr serves the pictures of payments' QR codes under signed links: they work without a header for ten minutes
// and answer 403 after (contract, chapter 3).
package qr

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/boombuler/barcode"
	barcodeqr "github.com/boombuler/barcode/qr"

	"paydesk/internal/platform/links"
	"paydesk/models"
)

// Prefix of the pictures' paths; what follows is the payment's id.
const Prefix = "/qr/"

// Content looks up what the QR code of a payment holds; ok is false where it has none (any more).
type Content func(ctx context.Context, payment models.ID) (content string, ok bool, err error)

// Pictures makes links and serves them. Safe for concurrent use.
type Pictures struct {
	links   *links.Signer
	content Content
	guarded http.Handler
}

// New makes pictures whose links the signer signs.
func New(signer *links.Signer, content Content) *Pictures {
	p := &Pictures{links: signer, content: content}
	p.guarded = signer.Guard(http.HandlerFunc(p.picture))
	return p
}

// URL is the signed address of a payment's picture; it works for ten minutes.
func (p *Pictures) URL(payment models.ID) string {
	return p.links.URL(Prefix + payment.Encode(models.PrefixPayment))
}

// ServeHTTP answers the picture as SVG: 403 where the link is wrong or over, 404 where the payment never had a code.
func (p *Pictures) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.guarded.ServeHTTP(w, r) }

func (p *Pictures) picture(w http.ResponseWriter, r *http.Request) {
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
