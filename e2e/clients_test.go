package e2e

import (
	"testing"

	"paydesk/internal/platform/testenv"
)

// libraries are the clients that must work as they come from npm; clients/ has a script for each.
var libraries = []string{"graphql-ws", "graphql-sse", "apollo", "urql", "relay"}

// relayArtifacts compiles Relay's operations against docs/schema.graphqls, and says where they are.
func relayArtifacts(t *testing.T) (env string) {
	t.Helper()
	dir := t.TempDir()
	script(t, nil, "clients/relay/compile.mjs", dir)
	return "RELAY_ARTIFACTS=" + dir
}

// TestClients: a demo persona's way through the product with each client, on both homes: pages of orders, a top-up and a
// payment seen live, errors as the client tells them, the client's language, queries by their hash. start audits at the end.
func TestClients(t *testing.T) {
	needNode(t)
	relay := relayArtifacts(t)
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{})
		for _, library := range libraries {
			t.Run(library, func(t *testing.T) { script(t, []string{relay}, "clients/journey.mjs", library, s.URL) })
		}
	})
}
