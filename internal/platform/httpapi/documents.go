package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/99designs/gqlgen/graphql"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// cacheable is the longest document that is kept: the caches are bounded in bytes by it.
const cacheable = 32 << 10

// trusted are the limits of registered documents, the widest that can be configured: somebody has looked at them, and a narrow
// limit for what comes from outside does not stop our own page.
var trusted = Limits{Tokens: 20_000, Depth: 100, Aliases: 1000, Fragments: 1000, Fields: 100_000, Directives: 1000}

// documents parses, bounds and validates each document once. It is the executor's query cache, so that the executor never
// parses by itself.
type documents struct {
	schema     *ast.Schema
	coercion   coercion
	outside    judge // of what comes from outside
	suggest    bool
	errors     int                  // of a document that are looked for
	only       bool                 // registered documents alone run
	registered map[string]*prepared // by SHA-256 in hexadecimal and by text alike: pinned, whatever else floods in
	parsed     *cache
	persisted  *lru.Cache[string, stored] // by SHA-256, of valid documents alone
	store      DocumentStore              // nil: the process alone remembers
	refresh    time.Duration              // age at which the store is given a document anew; 0 for never
}

// stored is an automatically persisted document and when the store was last given it or asked for it.
type stored struct {
	text string
	at   time.Time
}

func newDocuments(o Options) (*documents, error) {
	parsed, err := newCache(o.Limits.QueryCache)
	if err != nil {
		return nil, err
	}
	persisted, err := lru.New[string, stored](max(o.Persisted.Cache, 1))
	if err != nil {
		return nil, err
	}
	d := &documents{
		schema: o.Schema.Schema(), coercion: coercion{o.Schema.Schema(), o.Scalars}, outside: newJudge(o.Limits, o.Dev), suggest: o.Dev, errors: o.Limits.Errors,
		only: o.Persisted.Only, registered: map[string]*prepared{}, parsed: parsed, persisted: persisted,
		store: o.Documents, refresh: o.Persisted.TTL / 2,
	}
	return d, d.register(o.Persisted.Documents, newJudge(trusted, o.Dev))
}

// InvalidDocument is a registered document that can never run: its hash is wrong, or it does not fit the schema.
type InvalidDocument struct {
	Hash string
	Err  error
}

func (e *InvalidDocument) Error() string { return "document " + e.Hash + ": " + e.Err.Error() }
func (e *InvalidDocument) Unwrap() error { return e.Err }

var errWrongHash = errors.New("this is not the SHA-256 of its text")

// register parses the documents that are known from the start.
func (d *documents) register(texts map[string]string, by judge) error {
	for _, hash := range slices.Sorted(maps.Keys(texts)) {
		text := texts[hash]
		if hashOf(text) != hash {
			return &InvalidDocument{hash, errWrongHash}
		}
		doc, errs := d.parse(text, by)
		if len(errs) > 0 {
			return &InvalidDocument{hash, errs[0]}
		}
		doc.registered = true
		d.registered[hash], d.registered[text] = doc, doc
	}
	return nil
}

// hashOf is a document's name: the SHA-256 of its text, in lower-case hexadecimal.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// prepared is a document that may run, with what was found out about it once. Shared by all requests: nobody changes it.
type prepared struct {
	text       string
	doc        *ast.QueryDocument
	registered bool
	cheap      operations // those of its operations that need not be weighed again
	deprecated []string   // what it uses of the schema's past, "Type.field", sorted
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

// prepare finds the document that a request sends or names, and parses, bounds and validates what was not seen before. The
// context carries the document: a cache could lose it before the executor asks.
func (d *documents) prepare(ctx context.Context, p *graphql.RawParams) (context.Context, gqlerror.List) {
	r, e := referenceOf(p)
	if e != nil {
		return ctx, gqlerror.List{e}
	}
	var doc *prepared
	var errs gqlerror.List
	if p.Query == "" && r.hash != "" {
		doc, errs = d.named(ctx, r)
	} else {
		doc, errs = d.given(ctx, p.Query, r)
	}
	if len(errs) > 0 {
		return ctx, errs
	}
	p.Query = doc.text
	return context.WithValue(ctx, preparedKey{}, doc), nil
}

// named finds a document by its hash.
func (d *documents) named(ctx context.Context, r reference) (*prepared, gqlerror.List) {
	if doc := d.registered[r.hash]; doc != nil {
		return doc, nil
	}
	if d.only {
		return nil, d.unregistered()
	}
	text, known := d.remembered(ctx, r.hash)
	found := known
	if !known && d.store != nil {
		text, found = d.store.Load(ctx, r.hash)
	}
	switch {
	case !found && r.automatic:
		return nil, gqlerror.List{failure(codeNotPersisted, "PersistedQueryNotFound")} // the text that clients look for
	case !found:
		return nil, gqlerror.List{failure(codeNotPersisted, "no document is known by this documentId: send its text, or register it")}
	}
	doc, errs := d.read(text)
	if len(errs) == 0 && !known {
		d.persisted.Add(r.hash, stored{text, now()})
	}
	return doc, errs
}

// given takes a document's text. One that is to be persisted is, once it has proved valid.
func (d *documents) given(ctx context.Context, text string, r reference) (*prepared, gqlerror.List) {
	if r.hash != "" && r.hash != hashOf(text) {
		return nil, gqlerror.List{failure(codeBadInput, "the hash that names the document is not the hash of the query")}
	}
	if doc := d.registered[text]; doc != nil && doc.text == text { // a hash is no text
		return doc, nil
	}
	if d.only {
		return nil, d.unregistered()
	}
	doc, errs := d.read(text)
	if len(errs) == 0 && r.automatic && len(text) <= cacheable {
		d.remember(ctx, r.hash, text)
	}
	return doc, errs
}

// unregistered refuses what is not registered where nothing else runs. In development it names the switch, for who sits before GraphiQL.
func (d *documents) unregistered() gqlerror.List {
	here := "here"
	if d.suggest {
		here = "here (PAYDESK_PERSISTED_ONLY is on)"
	}
	return gqlerror.List{failure(codeNotPersisted, "only registered documents run "+here+", and this is none of them")}
}

// read gives the document of a text from outside.
func (d *documents) read(text string) (*prepared, gqlerror.List) {
	if doc := d.parsed.get(text); doc != nil {
		return doc, nil
	}
	doc, errs := d.parse(text, d.outside)
	if len(errs) == 0 && len(text) <= cacheable {
		d.parsed.add(doc)
	}
	return doc, errs
}

// remember persists a valid document here and for all instances.
func (d *documents) remember(ctx context.Context, hash, text string) {
	d.persisted.Add(hash, stored{text, now()})
	if d.store != nil {
		d.store.Save(ctx, hash, text)
	}
}

// remembered finds what this process has persisted. What is in use long enough the store is given anew, so that it does not
// forget what no instance asks it for.
func (d *documents) remembered(ctx context.Context, hash string) (text string, found bool) {
	s, found := d.persisted.Get(hash)
	if found && d.refresh > 0 && now().Sub(s.at) > d.refresh {
		d.remember(ctx, hash, s.text)
	}
	return s.text, found
}
