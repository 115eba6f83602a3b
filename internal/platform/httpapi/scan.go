package httpapi

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	utf "unicode/utf8"
)

const (
	// maxNesting and maxValues bound what a JSON text may unfold to: a megabyte of small values takes forty of memory.
	maxNesting = 64
	maxValues  = 20_000
)

// scan goes through JSON once, without building anything. The text may be malformed: then its figures mean nothing, but nothing is
// harmed.
type scan struct {
	depth, values int
	names         []string // of the outermost object's members, in their order
}

func scanJSON(text []byte) (s scan) {
	depth, isName := 0, false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			depth++
			s.depth = max(s.depth, depth)
			s.values++
			isName = depth == 1 && text[i] == '{'
		case '}', ']':
			depth--
		case ',':
			s.values++
			isName = depth == 1
		case ':':
			isName = false
		case '"':
			end := endOfString(text, i)
			if isName && depth == 1 {
				s.names = append(s.names, unquote(text[i:end]))
			}
			i = end - 1
		}
	}
	return s
}

// endOfString is behind the quote that ends the string that begins at i.
func endOfString(text []byte, i int) int {
	for i++; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(text)
}

func unquote(text []byte) (name string) {
	if plain := bytes.Trim(text, `"`); len(plain) == len(text)-2 && bytes.IndexByte(plain, '\\') < 0 {
		return string(plain)
	}
	_ = json.Unmarshal(text, &name)
	return name
}

// unbounded says what is too much about a JSON text; empty if nothing is.
func (s scan) unbounded() string {
	switch {
	case s.depth > maxNesting:
		return "is nested too deeply"
	case s.values > maxValues:
		return "has too many values"
	}
	return ""
}

// misnamed says what is wrong with the names of a request's members: JSON's reader forgives a wrong case and takes the last of two,
// where another reader on the way here may take the first.
func (s scan) misnamed(known ...string) string {
	for i, name := range s.names {
		for _, k := range known {
			if name == k && slices.Contains(s.names[:i], name) {
				return k + " is there twice"
			}
			if name != k && strings.EqualFold(name, k) {
				return k + " is written exactly so"
			}
		}
	}
	return ""
}

// isText reports whether bytes are UTF-8 without a byte order mark, as JSON between systems has to be (RFC 8259 §8.1).
func isText(text []byte) bool {
	return utf.Valid(text) && !strings.HasPrefix(string(text[:min(3, len(text))]), "\ufeff")
}
