package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// reference names a document by its SHA-256 in lower-case hexadecimal; the zero reference names none.
type reference struct {
	hash      string
	automatic bool // by extensions.persistedQuery: a text that comes with it is to be persisted
}

// documentIDKey is where a request's documentId travels among its extensions; documentID is a type that no JSON becomes.
const documentIDKey = "documentId"

type documentID string

// withDocumentID notes the documentId of a request ("Persisted Documents", GraphQL over HTTP, appendix A).
func withDocumentID(p *graphql.RawParams, id string) {
	if p.Extensions == nil {
		p.Extensions = map[string]any{}
	}
	p.Extensions[documentIDKey] = documentID(id)
}

// referenceOf reads both ways to name a document: documentId, and extensions.persistedQuery (automatic persisted queries,
// version 1). Both at once must name the same.
func referenceOf(p *graphql.RawParams) (r reference, e *gqlerror.Error) {
	if id, ok := p.Extensions[documentIDKey].(documentID); ok {
		if r.hash, ok = hexHash(strings.TrimPrefix(string(id), "sha256:")); !ok {
			return r, failure(codeBadInput, "documentId is sha256: with the 64 hexadecimal digits of the document's SHA-256")
		}
	}
	extension, ok := p.Extensions["persistedQuery"]
	if !ok || extension == nil {
		return r, nil
	}
	fields, _ := extension.(map[string]any)
	text, _ := fields["sha256Hash"].(string)
	hash, ok := hexHash(text)
	if v, isNumber := fields["version"].(interface{ String() string }); !ok || !isNumber || v.String() != "1" {
		return r, failure(codeBadInput, "extensions.persistedQuery wants version 1 and sha256Hash")
	}
	if r.hash != "" && r.hash != hash {
		return r, failure(codeBadInput, "documentId and extensions.persistedQuery name different documents")
	}
	return reference{hash, true}, nil
}

// hexHash reads a SHA-256 in hexadecimal.
func hexHash(text string) (hash string, ok bool) {
	sum, err := hex.DecodeString(text)
	return strings.ToLower(text), err == nil && len(sum) == sha256.Size
}
