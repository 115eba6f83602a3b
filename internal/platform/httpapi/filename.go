package httpapi

import (
	"mime"
	"path"
	"strings"
	"unicode"
)

// maxFileName is what file systems take, with room to spare, in bytes.
const maxFileName = 200

// fileName is a client's name of a file made harmless: no folders of any system, nothing that cannot be seen, no dots at its ends,
// bounded with its extension kept. It is for people; nobody opens a file by it.
func fileName(given string) string {
	given = given[strings.LastIndexAny(given, `/\`)+1:]
	name := strings.Trim(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, given), " .")
	if name == "" {
		return "file"
	}
	if len(name) <= maxFileName {
		return name
	}
	extension := path.Ext(name)
	if len(extension) > 16 {
		extension = ""
	}
	return strings.ToValidUTF8(name[:maxFileName-len(extension)], "") + extension
}

// fileType is a client's claim of a media type, without parameters.
func fileType(given string) string {
	media, _, err := mime.ParseMediaType(given)
	if err != nil || len(media) > 127 { // RFC 6838 §4.2
		return "application/octet-stream"
	}
	return media
}

// unnumbered hides what could be a card's number where an error quotes a document: all digits but the first six of those that follow
// each other, with nothing or a single space or dash between them.
func unnumbered(message string) string {
	const digits = 6
	seen, gap := 0, false
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsDigit(r):
			gap = false
			if seen++; seen > digits {
				return '*'
			}
		case (r == '-' || unicode.IsSpace(r)) && seen > 0 && !gap:
			gap = true
		default:
			seen, gap = 0, false
		}
		return r
	}, message)
}

// tellable is a path or a name of the client's in a form that an error may repeat: short, without anything that cannot be seen, and
// with too few digits for a card's number.
func tellable(given string) string {
	const most, digits = 80, 6
	seen := 0
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			if seen++; seen > digits {
				return '*'
			}
			return r
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', strings.ContainsRune("._-[]$", r):
			return r
		}
		return '?'
	}, given[:min(len(given), most)])
	if len(given) > most {
		out += "…"
	}
	return `"` + out + `"`
}
