package resolvers

import (
	"context"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"paydesk/graph/model"
)

// A plan writes the JSON of an object that is complete when its resolver returns: what the operation selects of it is known before, so
// it is looked up once for a whole list instead of once for each element. gqlgen makes a context, closures and a goroutine for each
// element and each object in it, which is where a page of orders spent its time (performance.md). A selection with a field that has a
// resolver has no plan, and gqlgen executes it.

// emit appends the JSON of a value.
type emit[T any] func(b []byte, v *T) []byte

// column compiles one selected field of a type; nil where it has no plan.
type column[T any] func(oc *graphql.OperationContext, f graphql.CollectedField) emit[T]

// table has the columns of a type. What implements lists is what the schema says.
type table[T any] struct {
	name       string
	implements []string
	columns    map[string]column[T]
}

// compile makes the plan of a selection; nil where there is none.
func compile[T any](oc *graphql.OperationContext, t *table[T], sel ast.SelectionSet) emit[T] {
	type cell struct {
		key   string
		write emit[T]
	}
	var cells []cell
	for _, f := range graphql.CollectFields(oc, sel, t.implements) {
		key := `,"` + f.Alias + `":`
		if slices.ContainsFunc(cells, func(c cell) bool { return c.key == key }) || len(f.Deferrables) > 0 {
			return nil // selected through an interface as well: gqlgen knows how the two go together
		}
		c := cell{key: key}
		if column := t.columns[f.Name]; column != nil {
			c.write = column(oc, f)
		} else if f.Name == "__typename" {
			c.write = func(b []byte, _ *T) []byte { return append(append(append(b, '"'), t.name...), '"') }
		}
		if c.write == nil {
			return nil
		}
		cells = append(cells, c)
	}
	if len(cells) == 0 { // all skipped
		return func(b []byte, _ *T) []byte { return append(b, "{}"...) }
	}
	return func(b []byte, v *T) []byte {
		open := len(b)
		for _, c := range cells {
			b = c.write(append(b, c.key...), v)
		}
		b[open] = '{' // in the place of the first comma
		return append(b, '}')
	}
}

// planned is a finished object with its plan: gqlgen takes it as the answer of the field.
type planned[T any] struct {
	v     *T
	write emit[T]
}

// scratch lends the room that objects are written in: it has grown to what answers need.
var scratch = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }}

// maxScratch keeps one giant answer from holding its memory for ever.
const maxScratch = 1 << 20

func (p planned[T]) MarshalGQL(w io.Writer) {
	b := scratch.Get().(*[]byte)
	*b = p.write((*b)[:0], p.v)
	_, _ = w.Write(*b)
	if cap(*b) <= maxScratch {
		scratch.Put(b)
	}
}

// plan is what the field answers with: the object with its plan, or the object alone for gqlgen to execute.
func plan[T any](ctx context.Context, t *table[T], v *T) any {
	if v == nil {
		return v
	}
	write := compile(graphql.GetOperationContext(ctx), t, graphql.GetFieldContext(ctx).Field.Selections)
	if write == nil {
		return v
	}
	return planned[T]{v, write}
}

// leaf is a column without arguments and children.
func leaf[T any](write emit[T]) column[T] {
	return func(*graphql.OperationContext, graphql.CollectedField) emit[T] { return write }
}

func text[T any](get func(*T) string) column[T] {
	return leaf(func(b []byte, v *T) []byte { return appendText(b, get(v)) })
}

func optional[T any, S ~string](get func(*T) *S) column[T] {
	return leaf(func(b []byte, v *T) []byte {
		if s := get(v); s != nil {
			return appendText(b, string(*s))
		}
		return append(b, "null"...)
	})
}

func number[T any](get func(*T) int) column[T] {
	return leaf(func(b []byte, v *T) []byte { return strconv.AppendInt(b, int64(get(v)), 10) })
}

func truth[T any](get func(*T) bool) column[T] {
	return leaf(func(b []byte, v *T) []byte { return strconv.AppendBool(b, get(v)) })
}

func moment[T any](get func(*T) *time.Time) column[T] {
	return leaf(func(b []byte, v *T) []byte {
		if t := get(v); t != nil {
			return model.AppendDateTime(b, *t)
		}
		return append(b, "null"...)
	})
}

// object is a column with an object; nil is null.
func object[T, C any](t *table[C], get func(*T) *C) column[T] {
	return func(oc *graphql.OperationContext, f graphql.CollectedField) emit[T] {
		write := compile(oc, t, f.Selections)
		if write == nil {
			return nil
		}
		return func(b []byte, v *T) []byte {
			if c := get(v); c != nil {
				return write(b, c)
			}
			return append(b, "null"...)
		}
	}
}

// list is a column with a list of objects.
func list[T, C any](t *table[C], get func(*T) []*C) column[T] {
	return func(oc *graphql.OperationContext, f graphql.CollectedField) emit[T] {
		write := compile(oc, t, f.Selections)
		if write == nil {
			return nil
		}
		return func(b []byte, v *T) []byte {
			b = append(b, '[')
			for i, c := range get(v) {
				if i > 0 {
					b = append(b, ',')
				}
				b = write(b, c)
			}
			return append(b, ']')
		}
	}
}

// appendText appends a string as JSON, escaped as gqlgen escapes it.
func appendText(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '\\' && c != '"' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '\t':
			b = append(b, '\\', 't')
		case '\r':
			b = append(b, '\\', 'r')
		case '\n':
			b = append(b, '\\', 'n')
		case '\\', '"':
			b = append(b, '\\', c)
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(append(b, s[start:]...), '"')
}
