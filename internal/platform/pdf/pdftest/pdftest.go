// Package pdftest reads the texts of our own PDFs back, for tests: which text stands where, in which size. It knows the few operators
// that maroto writes and is no reader of PDFs in general.
package pdftest

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf16"
)

// Text is a text on a page: its left end on the base line, in points from the lower left corner, and its size.
type Text struct {
	X, Y, Size float64
	Value      string
}

// Page is the texts of a page as they were drawn.
type Page []Text

// All is the page's texts, one a line.
func (p Page) All() string {
	var b strings.Builder
	for _, t := range p {
		b.WriteString(t.Value + "\n")
	}
	return b.String()
}

var (
	stream = regexp.MustCompile(`/Filter /FlateDecode /Length (\d+)>>\nstream\n`)
	drawn  = regexp.MustCompile(`(?s)BT /F\S+ ([0-9.]+) Tf ET|BT ([0-9.]+) ([0-9.]+) Td \(((?:\\.|[^\\)])*)\) Tj ET`)
	escape = regexp.MustCompile(`(?s)\\(.)`)
)

// Read finds the texts of each page.
func Read(document []byte) (pages []Page, err error) {
	if !bytes.HasPrefix(document, []byte("%PDF-")) || !bytes.HasSuffix(bytes.TrimSpace(document), []byte("%%EOF")) {
		return nil, errors.New("pdftest: not a whole PDF")
	}
	for _, m := range stream.FindAllSubmatchIndex(document, -1) {
		length, err := strconv.Atoi(string(document[m[2]:m[3]])) // its bytes can look like anything, an end of line included
		if err != nil || length > len(document)-m[1] {
			return nil, errors.New("pdftest: a stream without an end")
		}
		r, err := zlib.NewReader(bytes.NewReader(document[m[1] : m[1]+length]))
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		pages = append(pages, read(content))
	}
	if len(pages) == 0 {
		err = errors.New("pdftest: no page was found")
	}
	return pages, err
}

func read(content []byte) (page Page) {
	size := 0.0
	for _, m := range drawn.FindAllSubmatch(content, -1) {
		if len(m[1]) > 0 {
			size, _ = strconv.ParseFloat(string(m[1]), 64)
			continue
		}
		t := Text{Size: size, Value: decode(m[4])}
		t.X, _ = strconv.ParseFloat(string(m[2]), 64)
		t.Y, _ = strconv.ParseFloat(string(m[3]), 64)
		page = append(page, t)
	}
	return page
}

// decode reads a string of UTF-16 units with PDF's escapes.
func decode(raw []byte) string {
	raw = escape.ReplaceAllFunc(raw, func(e []byte) []byte {
		if e[1] == 'r' {
			return []byte{'\r'}
		}
		return e[1:]
	})
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(raw[2*i:])
	}
	return string(utf16.Decode(units))
}
