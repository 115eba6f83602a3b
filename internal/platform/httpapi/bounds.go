package httpapi

import (
	"fmt"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	// maxNameLength is the longest name in a document: errors repeat names, and paths are made of them.
	maxNameLength = 200
	// maxIntrospections of a document: a tool wants one, and each may be the whole schema.
	maxIntrospections = 3
)

// bounds are judged on the parsed document before it is validated, for validation itself is what hostile documents make
// expensive. They hold for introspection too.
type bounds struct {
	Limits
	introspection bool
}

// check refuses a document that is too deep, too wide, or too expensive to validate. Its own cost is linear in the document's
// tokens, but for the unfolding of fragments, which the limits themselves bound.
func (b bounds) check(doc *ast.QueryDocument) *gqlerror.Error {
	m := measured(doc)
	for _, limit := range []struct {
		have, most int
		what       string
	}{
		{m.spreads, b.Fragments, "a document may spread %d fragments"},
		{len(doc.Fragments), b.Fragments, "a document may have %d fragments"},
		{m.directives, b.Directives, "a document may have %d directives"},
		{m.aliases, b.Aliases, "a document may have %d aliases"},
		{m.whole.depth, b.Depth, "an operation may be %d levels deep"},
		{m.whole.inline, b.Depth, "inline fragments may be nested %d deep"},
		{m.values, b.Depth, "values and types may be nested %d deep"},
		{m.name, maxNameLength, "a name may have %d characters"},
		{m.whole.fields, b.Fields, "the operations of a document may have %d fields, those of fragments included"},
		{m.unfolded, fragmentsUnfold * b.Fields, "the fragments of a document may have %d fields, those of their own fragments included"},
	} {
		if limit.have > limit.most {
			return failure(codeTooComplex, fmt.Sprintf(limit.what, limit.most))
		}
	}
	switch {
	case m.cycle != "": // the rule that compares fields would walk it; and nothing below ends on one
		return failure(codeValidationFailed, fmt.Sprintf("Cannot spread fragment %q within itself.", m.cycle))
	case m.introspections > maxIntrospections:
		return failure(codeTooComplex, fmt.Sprintf("a document may ask for the schema %d times", maxIntrospections))
	case m.introspections > 0 && !b.introspection:
		return failure(codeValidationFailed, "introspection is off; the schema is published as docs/schema.graphqls")
	case !m.mergeable():
		return failure(codeTooComplex, "the document repeats the same fields too often")
	}
	return nil
}

// fragmentsUnfold is by how much more than operations the fragments of a document may unfold to: each is walked once by itself.
const fragmentsUnfold = 2

// size of a selection set with its fragments unfolded.
type size struct{ depth, inline, fields int }

// add takes what one more selection adds to a set.
func (s *size) add(in size) {
	s.depth = max(s.depth, in.depth)
	s.inline = max(s.inline, in.inline)
	s.fields = min(s.fields+in.fields, 1<<40) // doubling spreads overflow anything
}

// measure walks each fragment once, however often it is spread.
type measure struct {
	doc       *ast.QueryDocument
	fragments map[string]*ast.FragmentDefinition
	seen      map[string]size
	open      map[string]bool // fragments being walked

	whole                                size // depths: the most; fields: of all operations together
	unfolded                             int  // fields of all fragments, each by itself
	spreads, aliases, directives, values int
	name                                 int    // length of the longest
	introspections                       int    // __schema and __type
	cycle                                string // a fragment that spreads itself
}

func measured(doc *ast.QueryDocument) *measure {
	m := &measure{doc: doc, fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)), seen: map[string]size{}, open: map[string]bool{}}
	for _, f := range doc.Fragments {
		if m.fragments[f.Name] == nil { // of two with one name validation takes the first, and says so
			m.fragments[f.Name] = f
		}
	}
	for _, op := range doc.Operations {
		m.names(op.Name)
		m.variables(op.VariableDefinitions)
		m.direct(op.Directives)
		m.whole.add(m.set(op.SelectionSet))
	}
	for _, f := range doc.Fragments { // those that no operation spreads count as well: validation walks them
		m.names(f.Name)
		s := m.fragment(f)
		m.unfolded += s.fields
		s.fields = 0
		m.whole.add(s)
	}
	return m
}

func (m *measure) set(selections ast.SelectionSet) size {
	var out size
	for _, s := range selections {
		var in size
		switch s := s.(type) {
		case *ast.Field:
			m.field(s)
			in = m.set(s.SelectionSet)
			in.depth++
			in.fields++
		case *ast.InlineFragment:
			m.names(s.TypeCondition)
			m.direct(s.Directives)
			in = m.set(s.SelectionSet)
			in.inline++
		case *ast.FragmentSpread:
			m.spreads++
			m.direct(s.Directives)
			if f := m.fragments[s.Name]; f != nil {
				in = m.fragment(f)
			} else {
				m.names(s.Name)
			}
		}
		out.add(in)
	}
	return out
}

func (m *measure) field(f *ast.Field) {
	m.names(f.Alias, f.Name)
	if f.Alias != f.Name {
		m.aliases++
	}
	if f.Name == "__schema" || f.Name == "__type" {
		m.introspections++
	}
	m.arguments(f.Arguments)
	m.direct(f.Directives)
}

func (m *measure) fragment(f *ast.FragmentDefinition) size {
	if s, ok := m.seen[f.Name]; ok && m.fragments[f.Name] == f {
		return s
	}
	if m.open[f.Name] {
		m.cycle = f.Name
		return size{}
	}
	m.open[f.Name] = true
	m.names(f.TypeCondition)
	m.variables(f.VariableDefinition)
	m.direct(f.Directives)
	s := m.set(f.SelectionSet)
	delete(m.open, f.Name)
	if m.fragments[f.Name] == f { // spreads mean the first of a name
		m.seen[f.Name] = s
	}
	return s
}

func (m *measure) variables(list ast.VariableDefinitionList) {
	for _, v := range list {
		m.names(v.Variable)
		m.direct(v.Directives)
		if v.DefaultValue != nil {
			m.value(v.DefaultValue, 0)
		}
		deep := 0
		for t := v.Type; t != nil; t = t.Elem {
			m.names(t.NamedType)
			deep++
		}
		m.values = max(m.values, deep)
	}
}

func (m *measure) direct(list ast.DirectiveList) {
	m.directives += len(list)
	for _, d := range list {
		m.names(d.Name)
		m.arguments(d.Arguments)
	}
}

func (m *measure) arguments(list ast.ArgumentList) {
	for _, a := range list {
		m.names(a.Name)
		m.value(a.Value, 0)
	}
}

// value follows a literal to its depth: messages about a value quote it whole, at each level again.
func (m *measure) value(v *ast.Value, depth int) {
	switch v.Kind {
	case ast.Variable, ast.EnumValue:
		m.names(v.Raw)
	case ast.ListValue, ast.ObjectValue:
		depth++
	}
	m.values = max(m.values, depth)
	for _, c := range v.Children {
		m.names(c.Name)
		m.value(c.Value, depth)
	}
}

func (m *measure) names(list ...string) {
	for _, n := range list {
		m.name = max(m.name, len(n))
	}
}
