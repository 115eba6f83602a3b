package e2e

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// generator makes operations out of the printed schema. Who may ask is read from the contract, where a field is in it: a
// directive that somebody takes off the served schema is then missed.
type generator struct {
	schema, contract *ast.Schema
}

func newGenerator(t testing.TB) *generator {
	t.Helper()
	load := func(path string) *ast.Schema {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		s, err := gqlparser.LoadSchema(&ast.Source{Name: path, Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	return &generator{schema: load("../docs/schema.graphqls"), contract: load("../graph/testdata/contract.graphqls")}
}

// operation is one root field with its required arguments, or a field further down that takes ids, to be asked of somebody.
type operation struct {
	gen    *generator
	name   string // "Query.payment"; of a variant "Mutation.pay input.couponIds"
	kind   string // "query", "mutation", "subscription"
	root   *ast.FieldDefinition
	path   []*ast.FieldDefinition // from the root field to the one that takes the arguments; the root field alone where it takes them
	slots  []slot
	wanted []string // the optional argument that is given, as a path; nil where only the required ones are
}

func (o operation) last() *ast.FieldDefinition { return o.path[len(o.path)-1] }

// everybody are the root fields without @hasRole that are open to OPERATOR and SERVICE too, for they are not about "my"
// account (contract §3). payment and paymentStatus: the contract leaves it open, and they reach any account by id.
var everybody = []string{"viewer", "now", "node", "nodes", "payment", "paymentStatus"}

var customers = []string{"CREATOR", "FINANCE", "COLLABORATOR", "PARTNER"}

// permits says by the contract whether a role may use the root field.
func (o operation) permits(role string) bool {
	f := o.root
	if owner := o.gen.contract.Types[rootOf[o.kind]]; owner.Fields.ForName(f.Name) != nil {
		f = owner.Fields.ForName(f.Name)
	}
	if d := f.Directives.ForName("hasRole"); d != nil {
		return slices.ContainsFunc(d.Arguments.ForName("anyOf").Value.Children, func(c *ast.ChildValue) bool { return c.Value.Raw == role })
	}
	return slices.Contains(customers, role) || slices.Contains(everybody, f.Name)
}

var rootOf = map[string]string{"query": "Query", "mutation": "Mutation", "subscription": "Subscription"}

// operations are all of a root type: each field with its required arguments, and once more for each optional one that can
// name something.
func (g *generator) operations(root string) (out []operation) {
	def := g.schema.Types[root]
	if def == nil {
		return nil
	}
	kind := strings.ToLower(root)
	for _, f := range def.Fields {
		if strings.HasPrefix(f.Name, "__") {
			continue
		}
		out = append(out, g.variants(operation{gen: g, name: root + "." + f.Name, kind: kind, root: f, path: []*ast.FieldDefinition{f}})...)
	}
	return out
}

// variants are the operation itself and one for each optional argument that can name something, for each kind it can name.
func (g *generator) variants(o operation) []operation {
	required, optional := g.slots(o.last())
	o.slots = required
	out := []operation{o}
	for _, s := range optional {
		v := o
		v.name += " " + strings.Join(s.path, ".")
		v.slots, v.wanted = append(slices.Clone(required), s), s.path
		out = append(out, v)
	}
	return each(out)
}

// each makes an operation of its own for every kind that a slot takes.
func each(in []operation) (out []operation) {
	for _, o := range in {
		i := slices.IndexFunc(o.slots, func(s slot) bool { return len(s.kinds) > 1 })
		if i < 0 {
			out = append(out, o)
			continue
		}
		for _, kind := range o.slots[i].kinds {
			one := o
			one.name += " (" + kind + ")"
			one.slots = slices.Clone(o.slots)
			one.slots[i].kinds = []string{kind}
			out = append(out, one)
		}
	}
	return out
}

// nested are the fields below the roots that take an argument which can name something, each on the shortest way that a
// query without arguments can take to it.
func (g *generator) nested(t testing.TB) (out []operation) {
	for _, name := range sorted(g.schema.Types) {
		def := g.schema.Types[name]
		if def.Kind != ast.Object || def.BuiltIn || name == "Query" || name == "Mutation" || name == "Subscription" {
			continue
		}
		for _, f := range def.Fields {
			required, optional := g.slots(f)
			if len(required)+len(optional) == 0 {
				continue
			}
			way := g.way(name)
			if way == nil {
				t.Errorf("%s.%s takes ids, and no query without arguments leads to a %s: teach way() in matrix_schema_test.go", name, f.Name, name)
				continue
			}
			o := operation{gen: g, name: name + "." + f.Name, kind: "query", root: way[0], path: append(slices.Clone(way), f)}
			for _, v := range g.variants(o) {
				if len(v.slots) > 0 {
					out = append(out, v)
				}
			}
		}
	}
	return out
}

// way finds fields that lead from Query to a type, lists and arguments avoided.
func (g *generator) way(to string) []*ast.FieldDefinition {
	type step struct {
		def *ast.Definition
		way []*ast.FieldDefinition
	}
	seen := map[string]bool{}
	for queue := []step{{def: g.schema.Query}}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, f := range at.def.Fields {
			def := g.schema.Types[f.Type.Name()]
			required, optional := g.slots(f)
			if def == nil || def.Kind != ast.Object || seen[def.Name] || len(required)+len(optional) > 0 || needsArguments(f) || f.Type.Elem != nil {
				continue
			}
			seen[def.Name] = true
			way := append(slices.Clone(at.way), f)
			if def.Name == to {
				return way
			}
			queue = append(queue, step{def, way})
		}
	}
	return nil
}

func needsArguments(f *ast.FieldDefinition) bool {
	return slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil })
}

// depth is how many levels of objects an operation selects below the field that is asked about.
const depth = 3

// text is the document: the arguments as variables, every scalar of the result.
func (o operation) text() string {
	var b strings.Builder
	b.WriteString(o.kind + " Matrix")
	given := o.arguments()
	for i, a := range given {
		b.WriteString([]string{", ", "("}[b2i(i == 0)] + "$" + a.Name + ": " + a.Type.String())
	}
	if len(given) > 0 {
		b.WriteString(")")
	}
	for i, f := range o.path {
		b.WriteString(" { " + f.Name)
		if i < len(o.path)-1 {
			continue
		}
		for i, a := range given {
			b.WriteString([]string{", ", "("}[b2i(i == 0)] + a.Name + ": $" + a.Name)
		}
		if len(given) > 0 {
			b.WriteString(")")
		}
		b.WriteString(o.gen.selection(o.gen.schema.Types[f.Type.Name()], depth, nil))
	}
	return b.String() + strings.Repeat(" }", len(o.path))
}

// arguments are those that are given: the required ones, and the wanted one.
func (o operation) arguments() (out []*ast.ArgumentDefinition) {
	for _, a := range o.last().Arguments {
		if a.Type.NonNull && a.DefaultValue == nil || len(o.wanted) > 0 && o.wanted[0] == a.Name {
			out = append(out, a)
		}
	}
	return out
}

// selection selects every leaf, and objects to a depth; a type is not entered from within itself.
func (g *generator) selection(def *ast.Definition, depth int, within []string) string {
	if def == nil || def.IsLeafType() {
		return ""
	}
	within = append(slices.Clone(within), def.Name)
	var b strings.Builder
	b.WriteString(" { __typename")
	for _, f := range def.Fields {
		b.WriteString(g.field(f, "", depth, within))
	}
	if def.IsAbstractType() {
		possible := g.schema.GetPossibleTypes(def)
		for _, p := range possible {
			b.WriteString(" ... on " + p.Name + " {")
			for _, f := range p.Fields {
				if def.Fields.ForName(f.Name) == nil {
					b.WriteString(g.field(f, alias(possible, p, f), depth, within))
				}
			}
			b.WriteString(" __typename }")
		}
	}
	return b.String() + " }"
}

func (g *generator) field(f *ast.FieldDefinition, alias string, depth int, within []string) string {
	def := g.schema.Types[f.Type.Name()]
	switch {
	case strings.HasPrefix(f.Name, "__") || needsArguments(f):
		return ""
	case def.IsLeafType():
		return " " + alias + f.Name
	case depth == 0 || slices.Contains(within, def.Name):
		return ""
	case slices.Contains(within, "Payment") && f.Name == "account": // a partner's people are told who asks, and nothing more (contract §3)
		return " " + alias + "account { __typename id number name kind }"
	case strings.HasSuffix(def.Name, "Edge"):
		depth = 1 // its node stands among nodes as well
	}
	return " " + alias + f.Name + g.selection(def, depth-1, within)
}

// alias keeps fields apart that have one name and several types in the members of a union.
func alias(possible []*ast.Definition, of *ast.Definition, f *ast.FieldDefinition) string {
	for _, p := range possible {
		if other := p.Fields.ForName(f.Name); other != nil && other.Type.String() != f.Type.String() {
			return of.Name + "_" + f.Name + ": "
		}
	}
	return ""
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
