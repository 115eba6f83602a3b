package httpapi

import (
	"fmt"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// maxErrors of a document's literals are looked for.
const maxErrors = 10

// judge bounds a document before it is validated.
type judge struct {
	tokens int
	bounds bounds
}

func newJudge(l Limits, introspection bool) judge {
	return judge{l.Tokens, bounds{l, introspection}}
}

// parse judges a text in the order of cost: tokens, bounds, validation, and last what the document alone can tell of its
// literals. Everything here is done once for a document that is kept.
func (d *documents) parse(text string, by judge) (*prepared, gqlerror.List) {
	if strings.TrimSpace(text) == "" {
		return nil, gqlerror.List{failure(codeBadInput, "query is missing")}
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, by.tokens)
	if err != nil {
		if strings.Contains(err.Error(), "token limit") {
			return nil, gqlerror.List{failure(codeTooComplex, "the document is too long")}
		}
		if strings.Contains(err.Error(), "nesting depth") { // the parser's own bound, far beyond ours
			return nil, gqlerror.List{failure(codeTooComplex, fmt.Sprintf("an operation may be %d levels deep", by.bounds.Depth))}
		}
		return nil, brief(gqlerror.WrapIfUnwrapped(err))
	}
	if len(doc.Operations) == 0 {
		return nil, gqlerror.List{failure(codeValidationFailed, "no operation is in the document")}
	}
	if e := by.bounds.check(doc); e != nil {
		return nil, gqlerror.List{e}
	}
	if errs, more := validate(d.schema, doc, d.rules(len(text)), d.errors); len(errs) > 0 {
		errs = brief(errs...)
		if more {
			errs = append(errs, omitted(errs, 0))
		}
		return nil, errs
	}
	if errs := d.coercion.literals(doc); len(errs) > 0 {
		return nil, errs
	}
	return &prepared{text: text, doc: doc, deprecated: deprecated(doc)}, nil
}

// rules are those of the specification. Suggestions ("did you mean") would tell the schema to who may not read it.
func (d *documents) rules(length int) *rules.Rules {
	r := rules.NewDefaultRules()
	if d.suggest && length <= suggestUpTo {
		return r
	}
	for with, without := range map[string]core.Rule{
		rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
		rules.ScalarLeafsRule.Name:         rules.ScalarLeafsRuleWithoutSuggestions,
		rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		r.RemoveRule(with)
		r.AddRule(without.Name, without.RuleFunc)
	}
	return r
}

// brief makes the parser's and the validator's errors ours: each of bounded length, with our code.
func brief(errs ...*gqlerror.Error) gqlerror.List {
	out := make(gqlerror.List, len(errs))
	for i, e := range errs {
		out[i] = failure(codeValidationFailed, shorten(unnumbered(e.Message)))
		out[i].Locations = e.Locations
	}
	return out
}

const maxMessage = 500

// shorten bounds a message, for it may name what the client sent.
func shorten(message string) string {
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + "…"
}
