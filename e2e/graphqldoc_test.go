package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestGraphQLPage: what docs/graphql.md shows for a shell can be pasted as it stands.
func TestGraphQLPage(t *testing.T) {
	needNode(t)
	text, err := os.ReadFile("../docs/graphql.md")
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```bash\n(base=.*?)```").FindStringSubmatch(string(text))
	if block == nil {
		t.Fatal("no shell session in docs/graphql.md")
	}
	s := start(t, nil, options{})
	out, err := exec.Command("bash", "-euo", "pipefail", "-c", strings.ReplaceAll(block[1], "http://127.0.0.1:8080", s.URL)).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	lines := strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' })
	for i, want := range []string{`"orders"`, `"orders"`, `PERSISTED_QUERY_NOT_FOUND`, `"formatted"`, `"formatted"`, `"__typename":"Query"`} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("line %d should show %s:\n%s", i+1, want, out)
		}
	}
	if !strings.Contains(string(out), `data: {"data":{"balanceChanged":`) {
		t.Errorf("no event came:\n%s", out)
	}
}
