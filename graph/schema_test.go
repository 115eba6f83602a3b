package graph

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

func served(t *testing.T) *ast.Schema {
	t.Helper()
	return NewExecutableSchema(Config{}).Schema()
}

// own calls fn for every type of ours.
func own(s *ast.Schema, fn func(d *ast.Definition)) {
	for _, d := range s.Types {
		if !d.BuiltIn && !strings.HasPrefix(d.Name, "__") {
			fn(d)
		}
	}
}

func TestEveryElementHasADescription(t *testing.T) {
	s := served(t)
	want := func(text, path string) {
		text = strings.TrimSpace(text)
		if len(text) < 10 || !strings.HasSuffix(text, ".") {
			t.Errorf("%s: a description is a sentence with a full stop, not %q", path, text)
		}
	}
	for _, d := range s.Directives {
		if d.Position != nil && d.Position.Src.BuiltIn {
			continue
		}
		want(d.Description, "@"+d.Name)
		for _, a := range d.Arguments {
			want(a.Description, "@"+d.Name+"("+a.Name+")")
		}
	}
	own(s, func(d *ast.Definition) {
		want(d.Description, d.Name)
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			want(f.Description, d.Name+"."+f.Name)
			for _, a := range f.Arguments {
				want(a.Description, d.Name+"."+f.Name+"("+a.Name+")")
			}
		}
		for _, v := range d.EnumValues {
			want(v.Description, d.Name+"."+v.Name)
		}
	})
}

func TestMutationsTakeOneInputAndGiveAPayload(t *testing.T) {
	s := served(t)
	for _, f := range s.Mutation.Fields {
		name := strings.ToUpper(f.Name[:1]) + f.Name[1:]
		if len(f.Arguments) != 1 || f.Arguments[0].Name != "input" || f.Arguments[0].Type.String() != name+"Input!" {
			t.Errorf("%s: takes input: %sInput! alone", f.Name, name)
		}
		if f.Type.String() != name+"Payload" {
			t.Errorf("%s: gives a nullable %sPayload, not %s", f.Name, name, f.Type)
			continue
		}
		errors := s.Types[name+"Payload"].Fields.ForName("errors")
		if errors == nil || errors.Type.String() != "[UserError!]!" {
			t.Errorf("%sPayload: has errors: [UserError!]!", name)
		}
		key := s.Types[name+"Input"].Fields.ForName("idempotencyKey")
		if idempotent := f.Directives.ForName("idempotent") != nil; idempotent != (key != nil) {
			t.Errorf("%s: @idempotent and idempotencyKey go together", f.Name)
		}
	}
}

// The last directive written is the outermost: roles before idempotency.
func TestRolesAreOutermost(t *testing.T) {
	s := served(t)
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		for _, f := range root.Fields {
			for i, d := range f.Directives {
				if d.Name == "hasRole" && i != len(f.Directives)-1 {
					t.Errorf("%s: @hasRole comes last", f.Name)
				}
			}
		}
	}
}

func TestConnections(t *testing.T) {
	s := served(t)
	shape := map[string]string{"first": "Int", "after": "String", "last": "Int", "before": "String"}
	own(s, func(d *ast.Definition) {
		for _, f := range d.Fields {
			if !strings.HasSuffix(f.Type.Name(), "Connection") {
				continue
			}
			for name, typ := range shape {
				if a := f.Arguments.ForName(name); a == nil || a.Type.String() != typ {
					t.Errorf("%s.%s: a connection takes %s: %s", d.Name, f.Name, name, typ)
				}
			}
		}
		node, ok := strings.CutSuffix(d.Name, "Connection")
		if !ok {
			return
		}
		item := node
		if node == "Suspense" { // the contract names its items otherwise
			item = "SuspenseItem"
		}
		for field, typ := range map[string]string{"edges": "[" + node + "Edge!]!", "nodes": "[" + item + "!]!", "pageInfo": "PageInfo!", "totalCount": "Int"} {
			if f := d.Fields.ForName(field); f == nil || f.Type.String() != typ {
				t.Errorf("%s: has %s: %s", d.Name, field, typ)
			}
		}
	})
}

func TestPrintedSchemaIsCurrent(t *testing.T) {
	committed, err := os.ReadFile("../docs/schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	if string(committed) != Printed() {
		t.Error("docs/schema.graphqls is stale: make generate")
	}
	if _, err := gqlparser.LoadSchema(&ast.Source{Name: "printed", Input: Printed()}); err != nil {
		t.Errorf("the printed schema does not parse: %v", err)
	}
}

func TestNames(t *testing.T) {
	pascal, camel, upper := regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`), regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`), regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	check := func(pattern *regexp.Regexp, path, name string) {
		if !pattern.MatchString(name) {
			t.Errorf("%s: %s does not match %s", path, name, pattern)
		}
	}
	own(served(t), func(d *ast.Definition) {
		check(pascal, "type", d.Name)
		for _, f := range d.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			check(camel, d.Name, f.Name)
			for _, a := range f.Arguments {
				check(camel, d.Name+"."+f.Name, a.Name)
			}
		}
		for _, v := range d.EnumValues {
			check(upper, d.Name, v.Name)
		}
		if input := strings.HasSuffix(d.Name, "Input") || strings.HasSuffix(d.Name, "Filter") || d.Name == "OrderOrder"; input != (d.Kind == ast.InputObject) {
			t.Errorf("%s: inputs, and they alone, end in Input or Filter", d.Name)
		}
	})
}
