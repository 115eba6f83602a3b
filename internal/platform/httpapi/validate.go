package httpapi

import (
	"slices"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// suggestUpTo is the size of a document, in bytes, for which "did you mean" is thought about: its cost grows with the length
// of what was sent.
const suggestUpTo = 8 << 10

// quoted is how much of a document, in bytes, its errors may quote altogether before validation ends.
const quoted = 256 << 10

// enough ends a validation from within a rule.
type enough struct{}

// validate runs the rules until they have found more than most errors: a document may have a mistake for every token, and each
// may quote a megabyte of it. stopped is true where there are more than are given.
func validate(schema *ast.Schema, doc *ast.QueryDocument, r *rules.Rules, most int) (errs gqlerror.List, stopped bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, stopped = p.(enough); !stopped {
				panic(p)
			}
		}
	}()
	all := r.GetInner()
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names) // the same errors in the same order, always
	events, bytes := &core.Events{}, 0
	for _, name := range names {
		all[name](events, func(options ...core.ErrorOption) {
			if len(errs) == most || bytes > quoted {
				panic(enough{})
			}
			e := &gqlerror.Error{Rule: name}
			for _, set := range options {
				set(e)
			}
			bytes += len(e.Message)
			e.Message = shorten(e.Message)
			errs = append(errs, e)
		})
	}
	core.Walk(schema, doc, events)
	return errs, false
}
