package httpapi

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// maxFields bounds what fragments may unfold to: a kilobyte of spreads that double each other is millions of fields.
const maxFields = 10_000

// bounds are judged on the parsed document before it is validated, for validation itself is what hostile documents make
// expensive. They hold for introspection too.
type bounds struct {
	depth, aliases int
	introspection  bool
}

// check refuses a document that is too deep, has too many aliases, or unfolds to too much.
func (b bounds) check(doc *ast.QueryDocument) *gqlerror.Error {
	w := measure{doc: doc, seen: map[string]size{}, open: map[string]bool{}}
	for _, op := range doc.Operations {
		s := w.set(op.SelectionSet)
		switch {
		case s.depth > b.depth:
			return failure(codeTooComplex, fmt.Sprintf("an operation may be %d levels deep", b.depth))
		case s.fields > maxFields:
			return failure(codeTooComplex, fmt.Sprintf("an operation may have %d fields, those of fragments included", maxFields))
		}
	}
	for _, f := range doc.Fragments { // those that no operation spreads count as well: validation walks them
		w.fragment(f.Name)
	}
	switch {
	case w.aliases > b.aliases:
		return failure(codeTooComplex, fmt.Sprintf("a document may have %d aliases", b.aliases))
	case w.introspects && !b.introspection:
		return failure(codeValidationFailed, "introspection is off; the schema is published as docs/schema.graphqls")
	}
	return nil
}

// size of a selection set with its fragments unfolded.
type size struct{ depth, fields int }

// measure walks each fragment once, however often it is spread.
type measure struct {
	doc         *ast.QueryDocument
	seen        map[string]size
	open        map[string]bool // fragments being walked: a cycle, which validation refuses with its own words
	aliases     int
	introspects bool
}

func (m *measure) set(selections ast.SelectionSet) size {
	var out size
	for _, s := range selections {
		var in size
		switch s := s.(type) {
		case *ast.Field:
			if s.Alias != s.Name {
				m.aliases++
			}
			if s.Name == "__schema" || s.Name == "__type" {
				m.introspects = true
			}
			in = m.set(s.SelectionSet)
			in.depth++
			in.fields++
		case *ast.InlineFragment:
			in = m.set(s.SelectionSet)
		case *ast.FragmentSpread:
			in = m.fragment(s.Name)
		}
		out.depth = max(out.depth, in.depth)
		out.fields = min(out.fields+in.fields, maxFields+1) // no overflow
	}
	return out
}

func (m *measure) fragment(name string) size {
	if s, ok := m.seen[name]; ok || m.open[name] {
		return s
	}
	f := m.doc.Fragments.ForName(name)
	if f == nil {
		return size{}
	}
	m.open[name] = true
	s := m.set(f.SelectionSet)
	delete(m.open, name)
	m.seen[name] = s
	return s
}
