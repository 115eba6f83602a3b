package e2e

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/vektah/gqlparser/v2/ast"
)

// slot is a place in the arguments that names something by id, number or cursor.
type slot struct {
	path  []string
	kinds []string // any of them fits: one, but for node(id)
}

// slots are the places of a field's arguments that name something: those that have to be given, and those that can be.
func (g *generator) slots(f *ast.FieldDefinition) (required, optional []slot) {
	var walk func(name string, t *ast.Type, must bool, path []string)
	walk = func(name string, t *ast.Type, must bool, path []string) {
		must, path = must && t.NonNull, append(slices.Clone(path), name)
		def := g.schema.Types[t.Name()]
		if def.Kind == ast.InputObject {
			if len(path) > 8 { // an input that holds itself
				return
			}
			for _, field := range def.Fields {
				walk(field.Name, field.Type, must && field.DefaultValue == nil, path)
			}
			return
		}
		kinds := g.kinds(f, def, path)
		switch {
		case len(kinds) == 0:
		case must:
			required = append(required, slot{path, kinds})
		default:
			optional = append(optional, slot{path, kinds})
		}
	}
	for _, a := range f.Arguments {
		walk(a.Name, a.Type, a.DefaultValue == nil, nil)
	}
	return required, optional
}

// kinds says what a leaf of the arguments names, by its name and the field it belongs to; nil where it names nothing that
// is there already.
func (g *generator) kinds(f *ast.FieldDefinition, leaf *ast.Definition, path []string) []string {
	name := path[len(path)-1]
	switch {
	case name == "idempotencyKey":
		return nil
	case leaf.Name == "ID":
		kind := strings.TrimSuffix(strings.TrimSuffix(name, "s"), "Id")
		switch {
		case slices.Contains([]string{"selected", "add"}, name):
			kind = "order"
		case name == "remove": // what is unticked beside what stays ticked
			kind = "otherOrder"
		case strings.HasSuffix(f.Name, "PartnerPayment"): // a partner decides what others ask of it, never what is its own
			kind = "asked"
		}
		if strings.EqualFold(kind, "id") {
			return g.kindsOf(f.Type.Name())
		}
		return []string{kind}
	case leaf.Name == "String" && name == "number" && path[0] != "input":
		kinds := g.kindsOf(f.Type.Name())
		return []string{kinds[0] + ".number"}
	case leaf.Name == "String" && (name == "after" || name == "before"):
		return []string{g.kindsOf(f.Type.Name())[0] + ".cursor"}
	}
	return nil
}

// kindsOf are the kinds that a result can be: of a connection, what it lists; of Node, all.
func (g *generator) kindsOf(result string) (out []string) {
	if def := g.schema.Types[result]; def != nil && strings.HasSuffix(result, "Connection") {
		result = def.Fields.ForName("nodes").Type.Name()
	}
	if def := g.schema.Types[result]; result != "Node" || def == nil {
		return []string{lower(result)}
	}
	for _, name := range sorted(g.schema.Types) {
		def := g.schema.Types[name]
		if def.Kind != ast.Object || !slices.Contains(def.Interfaces, "Node") {
			continue
		}
		kind := lower(name)
		if slices.Contains(def.Interfaces, "PaymentMethod") {
			kind = "paymentMethod"
		}
		if !slices.Contains(out, kind) {
			out = append(out, kind)
		}
	}
	return out
}

func lower(name string) string {
	r, n := utf8.DecodeRuneInString(name)
	return string(unicode.ToLower(r)) + name[n:]
}

// texts are what String arguments want that are not any text, by name.
var texts = map[string]string{"region": "CN", "country": "CN", "signingEntity": "MAINLAND", "period": "2026-11", "productType": "ecs", "number": "NEW-1",
	"email": "somebody@example.com", "phone": "+8613800138001"}

// enums are what enum arguments want that is not the first value.
var enums = map[string]string{"PaymentChannel": "ALIPAY", "OrderStatus": "PENDING_PAYMENT"}

// filler makes the variables of an operation: what is required, and what is wanted.
type filler struct {
	op     operation
	things things
	given  map[string]string // by path: ids that stand in for those of things
	teach  func(format string, args ...any)
}

// variables are those of the operation, naming the things of somebody; given replaces single ids, by their path.
func (o operation) variables(t testing.TB, of things, given map[string]string) map[string]any {
	t.Helper()
	f := filler{op: o, things: of, given: given, teach: t.Fatalf}
	out := map[string]any{}
	for _, a := range o.arguments() {
		out[a.Name] = f.value(a.Name, a.Type, []string{a.Name})
	}
	return out
}

func (f filler) value(name string, t *ast.Type, path []string) any {
	if t.Elem != nil {
		return []any{f.value(name, t.Elem, path)}
	}
	for _, s := range f.op.slots {
		if slices.Equal(s.path, path) {
			return f.named(s)
		}
	}
	def := f.op.gen.schema.Types[t.Name()]
	switch def.Kind {
	case ast.InputObject:
		return f.object(def, path)
	case ast.Enum:
		if v := enums[def.Name]; v != "" {
			return v
		}
		return def.EnumValues[0].Name
	}
	return f.scalar(name, def.Name, path)
}

// object fills what is required and what leads to the wanted argument. Funding is always from the balance, or the channel
// where that is wanted: it has no required part, and without one a payment is nothing.
func (f filler) object(def *ast.Definition, path []string) any {
	out := map[string]any{}
	for _, field := range def.Fields {
		below := append(slices.Clone(path), field.Name)
		wanted := len(f.op.wanted) >= len(below) && slices.Equal(f.op.wanted[:len(below)], below)
		if wanted || field.Type.NonNull && field.DefaultValue == nil {
			out[field.Name] = f.value(field.Name, field.Type, below)
		}
	}
	if def.Name == "FundingInput" && len(out) == 0 {
		out["balance"] = money("10.00")
	}
	return out
}

// named is the id, number or cursor for a slot.
func (f filler) named(s slot) any {
	if id, ok := f.given[strings.Join(s.path, ".")]; ok {
		return id
	}
	id, ok := f.things.get(s.kinds[0])
	if !ok {
		f.teach("%s: argument %s names a %q, and no account of the matrix has one. Teach it: make one in party() and note it in its things, "+
			"or say in notYet which field will bring the first (matrix_world_test.go).", f.op.name, strings.Join(s.path, "."), s.kinds[0])
	}
	return id
}

func (f filler) scalar(name, kind string, path []string) any {
	switch kind {
	case "ID":
		return unique("key")
	case "Boolean":
		return true
	case "Int":
		return 1
	case "Float":
		return 1.5
	case "BigInt":
		return "1"
	case "Decimal":
		return "10.00"
	case "CurrencyCode":
		return "CNY"
	case "Date":
		return "2026-11-20"
	case "DateTime":
		return "2027-11-20T00:00:00Z"
	case "URL":
		return "https://example.com/"
	case "String":
		if text := texts[name]; text != "" {
			return text // a new number is one for all: whoever may not use it has not
		}
		return "some " + name
	}
	f.teach("%s: argument %s is a %s, which the matrix cannot make. Teach it in scalar() (matrix_fill_test.go); a file also wants post() to send a multipart request.",
		f.op.name, strings.Join(path, "."), kind)
	return nil
}
