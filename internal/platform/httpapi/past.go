package httpapi

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
)

// deprecated lists what a valid document uses of the schema's past: fields ("Type.field") and arguments
// ("Type.field(argument:)"), sorted, each once.
func deprecated(doc *ast.QueryDocument) []string {
	var found []string
	var walk func(ast.SelectionSet)
	walk = func(set ast.SelectionSet) {
		for _, s := range set {
			switch s := s.(type) {
			case *ast.Field:
				found = append(found, past(s)...)
				walk(s.SelectionSet)
			case *ast.InlineFragment:
				walk(s.SelectionSet)
			}
		}
	}
	for _, op := range doc.Operations {
		walk(op.SelectionSet)
	}
	for _, f := range doc.Fragments { // each once, however often it is spread
		walk(f.SelectionSet)
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// past is what one field uses: itself, its arguments.
func past(f *ast.Field) (found []string) {
	if f.Definition == nil || f.ObjectDefinition == nil {
		return nil
	}
	name := f.ObjectDefinition.Name + "." + f.Name
	if f.Definition.Directives.ForName("deprecated") != nil {
		found = append(found, name)
	}
	for _, a := range f.Arguments {
		if d := f.Definition.Arguments.ForName(a.Name); d != nil && d.Directives.ForName("deprecated") != nil {
			found = append(found, name+"("+a.Name+":)")
		}
	}
	return found
}
