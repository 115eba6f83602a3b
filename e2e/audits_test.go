package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"testing"
)

// audits is how many graphql-http 1.23.1 has; with fewer, something was left out.
const audits = 61

// TestAudits runs all audits of graphql-http (GraphQL over HTTP) for nobody and for somebody signed in. What the
// specification only recommends counts as well: each must be ok, not a notice or a warning.
func TestAudits(t *testing.T) {
	needNode(t)
	s := start(t, nil, options{})
	for _, who := range []struct {
		name string
		args []string
	}{
		{"anonymous", nil},
		{"with a token", []string{s.customer(t).token}},
	} {
		t.Run(who.name, func(t *testing.T) {
			out := output(t, nil, "clients/audits.mjs", append([]string{s.URL}, who.args...)...)
			seen := map[string]bool{}
			for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
				var audit struct{ ID, Name, Status, Reason string }
				if err := json.Unmarshal(lines.Bytes(), &audit); err != nil {
					t.Fatalf("%v: %s", err, lines.Bytes())
				}
				seen[audit.ID] = true
				t.Run(audit.ID, func(t *testing.T) {
					if audit.Status != "ok" {
						t.Errorf("%s: %s: %s", audit.Name, audit.Status, audit.Reason)
					}
				})
			}
			if len(seen) != audits {
				t.Errorf("%d audits, want %d", len(seen), audits)
			}
		})
	}
}
