package httpapi

import (
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
)

// deprecatedElements lists what a schema wants nobody to use any more and whose use documents tell: fields ("Type.field") and
// their arguments ("Type.field(argument:)"), sorted. Values of enums and fields of inputs come in variables as well; their
// use is not counted.
func deprecatedElements(schema *ast.Schema) (found []string) {
	for _, t := range schema.Types {
		if t.BuiltIn || strings.HasPrefix(t.Name, "__") || t.Kind != ast.Object && t.Kind != ast.Interface {
			continue
		}
		for _, f := range t.Fields {
			if f.Directives.ForName("deprecated") != nil {
				found = append(found, t.Name+"."+f.Name)
			}
			for _, a := range f.Arguments {
				if a.Directives.ForName("deprecated") != nil {
					found = append(found, t.Name+"."+f.Name+"("+a.Name+":)")
				}
			}
		}
	}
	slices.Sort(found)
	return found
}
