package pdf

import (
	"strings"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// slack is what a line stays narrower than its place, in millimetres: the font's widths are rounded.
const slack = 0.3

// Lines breaks a clean text into lines no wider than width (millimetres), by the rules of its script (UAX #14: Chinese breaks
// anywhere but before a full stop). A word that is too long is cut. There is always a line.
func Lines(text string, size, width float64) []string {
	var lines []string
	line, state := "", -1
	for text != "" {
		var piece string
		piece, text, _, state = uniseg.FirstLineSegmentInString(text, state)
		if fits(line+piece, size, width) {
			line += piece
			continue
		}
		if line != "" {
			lines = append(lines, strings.TrimRight(line, " "))
		}
		line = piece
		for !fits(line, size, width) {
			head := cut(line, size, width)
			lines = append(lines, line[:head])
			line = line[head:]
		}
	}
	return append(lines, strings.TrimRight(line, " "))
}

// fits: blanks at the end of a line take no place.
func fits(line string, size, width float64) bool {
	return Width(strings.TrimRight(line, " "), size)+slack <= width
}

// cut is how many bytes of a line fit: at least one character, else nothing would ever end.
func cut(line string, size, width float64) int {
	_, n := utf8.DecodeRuneInString(line)
	for n < len(line) {
		_, next := utf8.DecodeRuneInString(line[n:])
		if !fits(line[:n+next], size, width) {
			break
		}
		n += next
	}
	return n
}
