package resolvers

import (
	"bytes"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"pgregory.net/rapid"
)

func TestTextIsEscapedAsGqlgenDoes(t *testing.T) {
	check := func(fatal func(...any), s string) {
		var want bytes.Buffer
		graphql.MarshalString(s).MarshalGQL(&want)
		if got := string(appendText(nil, s)); got != want.String() {
			fatal(got, want.String())
		}
	}
	check(t.Fatal, "\x00\x1f\t\r\n\\\"/<>&\u2028云服务器😀")
	rapid.Check(t, func(t *rapid.T) { check(t.Fatal, rapid.String().Draw(t, "text")) })
}
