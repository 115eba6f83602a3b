// Package pdf makes documents of rows and tables, in every language of the site, with a font of its own. It is a thin layer over
// maroto, which draws: maroto breaks lines at spaces alone, and Chinese has none; and it knows no table that goes on overleaf.
package pdf

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

//go:embed font/wqy-microhei.ttf.gz
var packed []byte

// typeface is the font as documents hold it, and how wide each character of it is: one more than its thousandths of the size, 0
// where the font lacks it.
type typeface struct {
	bytes  []byte
	widths [1 << 16]uint16
}

// face unpacks the font once, when the first document is made; a fault in it is a fault of the program.
var face = sync.OnceValue(func() *typeface {
	f := &typeface{}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err == nil {
		f.bytes, err = io.ReadAll(r)
	}
	if err == nil {
		err = f.measure()
	}
	if err != nil {
		panic("pdf: " + err.Error())
	}
	return f
})

func (f *typeface) measure() error {
	parsed, err := sfnt.Parse(f.bytes)
	if err != nil {
		return err
	}
	var b sfnt.Buffer
	const em = 1000
	for r := range rune(len(f.widths)) {
		at, err := parsed.GlyphIndex(&b, r)
		if err != nil {
			return err
		}
		if at == 0 {
			continue
		}
		advance, err := parsed.GlyphAdvance(&b, at, fixed.I(em), font.HintingNone)
		if err != nil {
			return err
		}
		f.widths[r] = uint16(advance.Round()) + 1 //nolint:gosec // of a font: far below
	}
	return nil
}

func (f *typeface) has(r rune) bool { return int(r) < len(f.widths) && f.widths[r] > 0 }

// missing stands for a character that the font lacks.
const missing = '□'

// Clean is the text as documents can print it: white space is a blank, other control characters and invisible marks are gone, and
// what the font lacks is □.
func Clean(text string) string {
	f := face()
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r):
			return -1
		case !f.has(r):
			return missing
		}
		return r
	}, text)
}

// pointsPerMM: sizes are in points, lengths in millimetres.
const pointsPerMM = 72 / 25.4

// Width is how wide a clean text of a size (points) is, in millimetres.
func Width(text string, size float64) float64 {
	f, sum := face(), 0
	for _, r := range text {
		sum += int(f.widths[r]) - 1
	}
	return float64(sum) * size / 1000 / pointsPerMM
}
