package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

const (
	// cacheable is the longest document that is kept: the caches are bounded in bytes by it.
	cacheable = 32 << 10
	// maxErrors of a refused document are told.
	maxErrors = 10
)

// documents parses, bounds and validates each document once. It is the executor's query cache, so that the executor never
// parses by itself.
type documents struct {
	schema    *ast.Schema
	bounds    bounds
	tokens    int
	suggest   bool
	parsed    *lru.Cache[string, *prepared] // by text
	persisted *lru.Cache[string, string]    // SHA-256 in hexadecimal → text, of valid documents alone
}

func newDocuments(o Options) (*documents, error) {
	l := o.Limits
	parsed, err := lru.New[string, *prepared](l.QueryCache)
	if err != nil {
		return nil, err
	}
	persisted, err := lru.New[string, string](max(o.Persisted.Cache, 1))
	if err != nil {
		return nil, err
	}
	return &documents{
		schema: o.Schema.Schema(), bounds: bounds{depth: l.Depth, aliases: l.Aliases, introspection: o.Dev},
		tokens: l.Tokens, suggest: o.Dev, parsed: parsed, persisted: persisted,
	}, nil
}

// prepared is a document that may run, with what was found out about it once. Shared by all requests: nobody changes it.
type prepared struct {
	doc        *ast.QueryDocument
	deprecated []string // what it uses of the schema's past, "Type.field", sorted
}

type preparedKey struct{}

// preparedFrom gives the document of the operation that runs in ctx, once prepare has made it; nil before.
func preparedFrom(ctx context.Context) *prepared {
	p, _ := ctx.Value(preparedKey{}).(*prepared)
	return p
}

// Get gives the executor the document that prepare has made.
func (d *documents) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	if p := preparedFrom(ctx); p != nil {
		return p.doc, true
	}
	return nil, false
}

// Add keeps nothing: only what prepare has bounded is kept.
func (d *documents) Add(context.Context, string, *ast.QueryDocument) {}

var _ graphql.Cache[*ast.QueryDocument] = (*documents)(nil)

// prepare resolves a persisted document, and parses, bounds and validates what was not seen before. The context carries the
// document: a cache could lose it before the executor asks.
func (d *documents) prepare(ctx context.Context, p *graphql.RawParams) (context.Context, gqlerror.List) {
	hash, e := d.resolve(p)
	if e != nil {
		return ctx, gqlerror.List{e}
	}
	doc, known := d.parsed.Get(p.Query)
	if !known {
		var errs gqlerror.List
		if doc, errs = d.parse(p.Query); len(errs) > 0 {
			return ctx, errs
		}
		if len(p.Query) <= cacheable {
			d.parsed.Add(p.Query, doc)
		}
	}
	if hash != "" && len(p.Query) <= cacheable {
		d.persisted.Add(hash, p.Query)
	}
	return context.WithValue(ctx, preparedKey{}, doc), nil
}

// resolve finds the text of a persisted document (automatic persisted queries, version 1). hash is what to store the
// text under once it has proved valid; empty where there is nothing to store.
func (d *documents) resolve(p *graphql.RawParams) (hash string, e *gqlerror.Error) {
	extension, ok := p.Extensions["persistedQuery"]
	if !ok || extension == nil {
		return "", nil
	}
	fields, _ := extension.(map[string]any)
	hash, _ = fields["sha256Hash"].(string)
	if v, ok := fields["version"].(interface{ String() string }); !ok || v.String() != "1" || len(hash) != 2*sha256.Size {
		return "", failure(codeBadInput, "extensions.persistedQuery wants version 1 and sha256Hash")
	}
	hash = strings.ToLower(hash)
	if p.Query == "" {
		if p.Query, ok = d.persisted.Get(hash); !ok {
			return "", failure(codeNotPersisted, "PersistedQueryNotFound") // the text that clients look for
		}
		return "", nil
	}
	if sum := sha256.Sum256([]byte(p.Query)); hex.EncodeToString(sum[:]) != hash {
		return "", failure(codeBadInput, "sha256Hash is not the hash of the query")
	}
	return hash, nil
}

// parse judges a text in the order of cost: tokens, bounds, validation, and last what the document alone can tell of its
// literals. Everything here is done once for a document that is kept.
func (d *documents) parse(text string) (*prepared, gqlerror.List) {
	if strings.TrimSpace(text) == "" {
		return nil, gqlerror.List{failure(codeBadInput, "query is missing")}
	}
	doc, err := parser.ParseQueryWithTokenLimit(&ast.Source{Input: text}, d.tokens)
	if err != nil {
		if strings.Contains(err.Error(), "token limit") {
			return nil, gqlerror.List{failure(codeTooComplex, "the document is too long")}
		}
		return nil, brief(gqlerror.WrapIfUnwrapped(err))
	}
	if len(doc.Operations) == 0 {
		return nil, gqlerror.List{failure(codeValidationFailed, "no operation is in the document")}
	}
	if e := d.bounds.check(doc); e != nil {
		return nil, gqlerror.List{e}
	}
	if errs := validator.ValidateWithRules(d.schema, doc, d.rules()); len(errs) > 0 {
		return nil, brief(errs...)
	}
	return &prepared{doc: doc, deprecated: deprecated(doc)}, nil
}

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

// rules are those of the specification. Suggestions ("did you mean") would tell the schema to who may not read it.
func (d *documents) rules() *rules.Rules {
	r := rules.NewDefaultRules()
	if d.suggest {
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

// brief keeps a refusal small, whatever was sent: the first few errors, each of bounded length, with our code.
func brief(errs ...*gqlerror.Error) gqlerror.List {
	if len(errs) > maxErrors {
		errs = errs[:maxErrors]
	}
	out := make(gqlerror.List, len(errs))
	for i, e := range errs {
		locations := e.Locations
		if len(locations) > maxErrors {
			locations = locations[:maxErrors]
		}
		out[i] = failure(codeValidationFailed, shorten(e.Message))
		out[i].Locations = locations
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
