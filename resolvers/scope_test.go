package resolvers

import (
	"strings"
	"testing"

	"paydesk/internal/platform/auth"
	"paydesk/models"
)

// Contract §4: keys of an account's people are the account's, keys of everybody else are their own; whatever an identity
// provider puts into sub fits the column (ASCII, 255) on both homes, and no two share a scope.
func TestScopes(t *testing.T) {
	account, seen := models.NewID(), map[string]string{}
	if scope(&auth.Viewer{UserID: "a", AccountID: account}) != scope(&auth.Viewer{UserID: "b", AccountID: account}) {
		t.Error("two people of one account have scopes of their own")
	}
	for _, sub := range []string{"a", "A", "a ", "服务", strings.Repeat("x", 4000), strings.Repeat("x", 4001), "a}:pay:k"} {
		s := scope(&auth.Viewer{UserID: sub})
		if other, ok := seen[s]; ok {
			t.Errorf("%q and %q share a scope", sub, other)
		}
		seen[s] = sub
		if len(s) > 255 || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '}' }) {
			t.Errorf("%.20q: scope %.40q", sub, s)
		}
	}
}
