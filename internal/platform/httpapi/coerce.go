package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator"
)

// coercion judges what a client gives for its variables, and literals of custom scalars, before anything is executed (GraphQL
// §6.1.2, §5.6.1): a wrong one is BAD_USER_INPUT and no data. The executor alone is laxer: it takes numbers for texts, enum values
// in any case, and lets custom scalars pass until a field reads them. What was given is never repeated: it may be a card's number.
type coercion struct {
	schema  *ast.Schema
	scalars Scalars
}

// ruleCoercion marks errors of the request's values: other than a request that is no request, they are 200 for application/json.
const ruleCoercion = "Coercion"

// operation finds the operation to run and coerces its variables in place. The context is prepare's.
func (c coercion) operation(ctx context.Context, p *graphql.RawParams) *gqlerror.Error {
	op := preparedFrom(ctx).doc.Operations.ForName(p.OperationName)
	switch {
	case op != nil && op.Operation == ast.Subscription && ctx.Value(formKey{}) != nil: // files live as long as a request
		return failure(codeBadInput, "a subscription has no files: send it as "+mediaJSON+", or over a WebSocket")
	case op != nil:
		return c.variables(op, p.Variables)
	case p.OperationName == "":
		return failure(codeValidationFailed, "the document has several operations: operationName says which of them to run")
	}
	return failure(codeValidationFailed, "the document has no operation of the name that operationName gives")
}

// variables coerces each declared variable; what is given beyond them is ignored, as the specification has it.
func (c coercion) variables(op *ast.OperationDefinition, given map[string]any) *gqlerror.Error {
	for _, v := range op.VariableDefinitions {
		value, there := given[v.Variable]
		var wrong *mismatch
		switch {
		case there:
			if value, wrong = c.value(v.Type, value); wrong == nil {
				given[v.Variable] = value
			}
		case v.Type.NonNull && v.DefaultValue == nil:
			wrong = &mismatch{what: v.Type.String() + " must be given"}
		}
		if wrong != nil {
			return wrong.in("variable $" + v.Variable).failure(v.Position)
		}
	}
	return nil
}

// value gives v as the type has it.
func (c coercion) value(t *ast.Type, v any) (any, *mismatch) {
	if v == nil {
		if t.NonNull {
			return nil, &mismatch{what: t.String() + " is never null"}
		}
		return nil, nil
	}
	if t.Elem != nil {
		return c.list(t, v)
	}
	def := c.schema.Types[t.NamedType]
	switch def.Kind {
	case ast.InputObject:
		return c.object(def, v)
	case ast.Enum:
		if name, ok := v.(string); !ok || def.EnumValues.ForName(name) == nil {
			return nil, &mismatch{what: "it must be one of the names of " + def.Name}
		}
		return v, nil
	}
	return c.scalar(def.Name, v)
}

// list takes a single value for a list of one (GraphQL §3.11).
func (c coercion) list(t *ast.Type, v any) (any, *mismatch) {
	items, ok := v.([]any)
	if !ok {
		item, wrong := c.value(t.Elem, v)
		return []any{item}, wrong
	}
	for i, item := range items {
		coerced, wrong := c.value(t.Elem, item)
		if wrong != nil {
			return nil, wrong.in("[" + strconv.Itoa(i) + "]")
		}
		items[i] = coerced
	}
	return items, nil
}

func (c coercion) object(def *ast.Definition, v any) (any, *mismatch) {
	fields, ok := v.(map[string]any)
	if !ok {
		return nil, &mismatch{what: def.Name + " is an object"}
	}
	known := 0
	for _, f := range def.Fields {
		value, there := fields[f.Name]
		if !there {
			if f.Type.NonNull && f.DefaultValue == nil {
				return nil, (&mismatch{what: f.Type.String() + " must be given"}).in("." + f.Name)
			}
			continue
		}
		known++
		coerced, wrong := c.value(f.Type, value)
		if wrong != nil {
			return nil, wrong.in("." + f.Name)
		}
		fields[f.Name] = coerced
	}
	switch {
	case known < len(fields):
		return nil, unknown(def, fields)
	case def.Directives.ForName("oneOf") != nil && !oneOf(fields):
		return nil, &mismatch{what: "exactly one field of " + def.Name + " must be given"}
	}
	return fields, nil
}

// unknown names the first field, by the alphabet, that the type does not have, if the name looks like one.
func unknown(def *ast.Definition, fields map[string]any) *mismatch {
	first, found := "", false
	for name := range fields {
		if def.Fields.ForName(name) == nil && (!found || name < first) {
			first, found = name, true
		}
	}
	wrong := &mismatch{what: def.Name + " has no such field"}
	if strings.Trim(first, "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || len(first) > maxName || first == "" {
		wrong.what = def.Name + " has no such field as one of those given"
		return wrong
	}
	return wrong.in("." + first)
}

func oneOf(fields map[string]any) bool {
	for _, v := range fields {
		return len(fields) == 1 && v != nil
	}
	return false
}

// scalar judges by JSON's own types: a text is not a number, however much it looks like one.
func (c coercion) scalar(name string, v any) (any, *mismatch) {
	ok := false
	switch name {
	case "String":
		_, ok = v.(string)
	case "Boolean":
		_, ok = v.(bool)
	case "Int":
		if v, ok = whole(v, 32); !ok {
			return nil, &mismatch{what: notInt}
		}
	case "Float":
		ok = finite(v)
	case "ID":
		if _, ok = v.(string); !ok {
			v, ok = whole(v, 64)
		}
	default:
		if judge := c.scalars[name]; judge != nil {
			if err := judge(v); err != nil {
				return nil, &mismatch{what: reason(err)}
			}
		}
		return v, nil
	}
	if !ok {
		return nil, &mismatch{what: kinds[name]}
	}
	return v, nil
}

const notInt = "an Int is a whole number of 32 bits"

var kinds = map[string]string{"String": "a String is a text", "Boolean": "a Boolean is true or false", "Float": "a Float is a number",
	"ID": "an ID is a text or a whole number"}

// whole takes 1.0 and 1e3 for whole numbers, as JSON does.
func whole(v any, bits int) (any, bool) {
	n, ok := v.(json.Number)
	if !ok {
		return nil, false
	}
	if _, err := strconv.ParseInt(string(n), 10, bits); err == nil {
		return v, true
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) >= 1<<53 { // beyond that it is not what was written any more
		return nil, false
	}
	text := strconv.FormatInt(int64(f), 10)
	_, err = strconv.ParseInt(text, 10, bits)
	return json.Number(text), err == nil
}

func finite(v any) bool {
	n, ok := v.(json.Number)
	if !ok {
		return false
	}
	_, err := strconv.ParseFloat(string(n), 64)
	return err == nil
}

// reason is a scalar's own words, which never repeat the value.
func reason(err error) string {
	var e *gqlerror.Error
	if errors.As(err, &e) {
		return e.Message
	}
	return err.Error()
}

// mismatch is a value that does not fit: where it lies, built only once there is one, and what would fit.
type mismatch struct{ path, what string }

func (m *mismatch) in(step string) *mismatch {
	m.path = step + m.path
	return m
}

// maxPath bounds the path that is told, in bytes: input types may contain themselves.
const maxPath = 200

func (m *mismatch) failure(at *ast.Position) *gqlerror.Error {
	if len(m.path) > maxPath {
		m.path = m.path[:maxPath] + "…"
	}
	e := failure(codeBadInput, m.path+": "+m.what)
	e.Rule = ruleCoercion
	if at != nil {
		e.Locations = []gqlerror.Location{{Line: at.Line, Column: at.Column}}
	}
	return e
}

// literals judges custom scalars that are written in a valid document, defaults of variables among them; the built-in ones are
// validation's, which forgets the size of an Int. Done once for each document that is kept.
func (c coercion) literals(doc *ast.QueryDocument) (errs gqlerror.List) {
	seen := map[*ast.Value]bool{} // a fragment is walked from each operation that spreads it
	var observers validator.Events
	observers.OnValue(func(_ *validator.Walker, v *ast.Value) {
		if len(errs) >= maxErrors || seen[v] {
			return
		}
		seen[v] = true
		if e := c.literal(v); e != nil {
			errs = append(errs, e)
		}
	})
	validator.Walk(c.schema, doc, &observers)
	return errs
}

func (c coercion) literal(v *ast.Value) *gqlerror.Error {
	def, t := v.Definition, v.ExpectedType
	if def == nil || t == nil || def.Kind != ast.Scalar || v.Kind == ast.Variable || v.Kind == ast.NullValue ||
		v.Kind == ast.ListValue && t.Elem != nil { // its items are visited by themselves
		return nil
	}
	if def.Name == "Int" {
		if _, err := strconv.ParseInt(v.Raw, 10, 32); err != nil {
			e := (&mismatch{path: "a literal of type " + t.String(), what: notInt}).failure(v.Position)
			e.Extensions["code"] = codeValidationFailed
			return e
		}
	}
	judge := c.scalars[def.Name]
	if judge == nil {
		return nil
	}
	if err := judge(written(v)); err != nil {
		return (&mismatch{path: "a literal of type " + t.String(), what: reason(err)}).failure(v.Position)
	}
	return nil
}

// written is a literal as JSON would have it. Only a text can be a good one of ours; numbers keep how they were written, and lists
// and objects need not be unfolded to be wrong.
func written(v *ast.Value) any {
	switch v.Kind {
	case ast.StringValue, ast.BlockValue:
		return v.Raw
	case ast.IntValue, ast.FloatValue:
		return json.Number(v.Raw)
	case ast.BooleanValue:
		return v.Raw == "true"
	}
	return struct{}{}
}
