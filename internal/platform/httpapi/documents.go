package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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
	parsed    *lru.Cache[string, *ast.QueryDocument]
	persisted *lru.Cache[string, string] // SHA-256 in hexadecimal → text, of valid documents alone
}

func newDocuments(o Options) (*documents, error) {
	l := o.Limits
	parsed, err := lru.New[string, *ast.QueryDocument](l.QueryCache)
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

type documentKey struct{}

// Get gives the executor the document that prepare has made.
func (d *documents) Get(ctx context.Context, text string) (*ast.QueryDocument, bool) {
	if doc, ok := d.parsed.Get(text); ok {
		return doc, true
	}
	doc, ok := ctx.Value(documentKey{}).(*ast.QueryDocument)
	return doc, ok
}

// Add keeps nothing: only what prepare has bounded is kept.
func (d *documents) Add(context.Context, string, *ast.QueryDocument) {}

var _ graphql.Cache[*ast.QueryDocument] = (*documents)(nil)

// prepare resolves a persisted document, and parses, bounds and validates what was not seen before. The context carries a
// document that is too long to keep.
func (d *documents) prepare(ctx context.Context, p *graphql.RawParams) (context.Context, gqlerror.List) {
	hash, e := d.resolve(p)
	if e != nil {
		return ctx, gqlerror.List{e}
	}
	if _, known := d.parsed.Get(p.Query); !known {
		doc, errs := d.parse(p.Query)
		if len(errs) > 0 {
			return ctx, errs
		}
		if len(p.Query) <= cacheable {
			d.parsed.Add(p.Query, doc)
		}
		ctx = context.WithValue(ctx, documentKey{}, doc)
	}
	if hash != "" && len(p.Query) <= cacheable {
		d.persisted.Add(hash, p.Query)
	}
	return ctx, nil
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

func (d *documents) parse(text string) (*ast.QueryDocument, gqlerror.List) {
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
	return doc, nil
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
