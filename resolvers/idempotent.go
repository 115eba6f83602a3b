package resolvers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"

	"github.com/99designs/gqlgen/graphql"

	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/idempotency"
)

const maxKey = 255 // characters of an idempotency key (contract §4)

// idempotent is the schema's directive: it checks the key, hashes the input and puts both into the context, for the service that
// does the work once. Fault: INVALID_INPUT at the key.
func idempotent(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	fc := graphql.GetFieldContext(ctx)
	input := fc.Args["input"]
	key := reflect.ValueOf(input).FieldByName("IdempotencyKey").String()
	if !validKey(key) {
		return nil, fault.New("INVALID_INPUT", "input", "idempotencyKey")
	}
	hash, err := inputHash(input)
	if err != nil {
		return nil, err
	}
	return next(idempotency.With(ctx, idempotency.Request{Scope: scope(auth.From(ctx)), Mutation: fc.Field.Name, Key: key, Hash: hash}))
}

func validKey(key string) bool {
	if key == "" || len(key) > maxKey {
		return false
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return true
}

// scope is whose keys these are: the token's account's, else its subject's. A subject is any text of any length; its hash
// fits a column and a Redis key.
func scope(v *auth.Viewer) string {
	if v.AccountID.IsZero() {
		sum := sha256.Sum256([]byte(v.UserID))
		return "sub:" + hex.EncodeToString(sum[:])
	}
	return v.AccountID.String()
}

// inputHash is the SHA-256 of the input as JSON. The input has been read into its Go type, so fields stand in one order, absent and
// null are the same, and literals and variables do not differ; a file counts as its content (model.Upload). The key is in it: hashes are
// only compared under one key.
func inputHash(input any) ([sha256.Size]byte, error) {
	canonical, err := json.Marshal(input)
	return sha256.Sum256(canonical), err
}
