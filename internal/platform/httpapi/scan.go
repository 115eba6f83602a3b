package httpapi

import (
	"bytes"
	"encoding/json"
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
	names         [][]byte // of the outermost object's members, in their order, quoted as they stand
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
				s.names = append(s.names, text[i:end])
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

// nameOfMember is a member's name without its quotes.
func nameOfMember(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') >= 0 {
		var name string
		_ = json.Unmarshal(quoted, &name)
		return []byte(name)
	}
	return bytes.Trim(quoted, `"`)
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
	var seen uint
	for _, quoted := range s.names {
		name := nameOfMember(quoted)
		for i, k := range known {
			switch {
			case string(name) == k && seen&(1<<i) != 0:
				return k + " is there twice"
			case string(name) == k:
				seen |= 1 << i
			case strings.EqualFold(string(name), k):
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
