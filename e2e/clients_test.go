package e2e

import (
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
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

// TestRelayRegistered: Relay sends nothing but hashes to a server that runs nothing but registered documents; what its
// compiler has written down is the manifest.
func TestRelayRegistered(t *testing.T) {
	needNode(t)
	relay := relayArtifacts(t)
	_, folder, _ := strings.Cut(relay, "=")
	s := start(t, nil, options{env: []string{onlyRegistered, "PAYDESK_PERSISTED_DOCUMENTS=" + filepath.Join(folder, "persisted.json")}})
	script(t, []string{relay, "REGISTERED=1"}, "clients/journey.mjs", "relay", s.URL)
}

// TestTokenEnds: a subscription ends with its token, and the client can go on with a new one (contract §3).
func TestTokenEnds(t *testing.T) {
	needNode(t)
	s := start(t, nil, options{})
	script(t, nil, "clients/expiry.mjs", s.URL, s.customer(t).AccountID)
}

// TestUploads: a multipart request is a browser's simple request, so it wants a header of ours (contract §2).
func TestUploads(t *testing.T) {
	needNode(t)
	s := start(t, nil, options{})
	script(t, nil, "clients/uploads.mjs", s.URL, s.customer(t).token)
}

// TestEventSource: the browser's EventSource hears the end of a stream, and nothing of another origin.
func TestEventSource(t *testing.T) {
	needNode(t)
	chromium := testenv.Chromium(t)
	here, elsewhere := start(t, nil, options{}), start(t, nil, options{})
	script(t, []string{"CHROMIUM=" + chromium}, "clients/eventsource.mjs", here.URL, elsewhere.URL)
}

// TestNoMutationByGET: a GET is for queries alone, as events too (contract §2).
func TestNoMutationByGET(t *testing.T) {
	s := start(t, nil, options{})
	c := s.customer(t)
	query := `mutation { topUp(input: {idempotencyKey: "get", online: {channel: ALIPAY, amount: {amount: "1.00", currency: "CNY"}}}) { payment { id } } }`
	for _, accept := range []string{"application/json", "application/graphql-response+json", "text/event-stream"} {
		r, err := http.NewRequest(http.MethodGet, s.URL+"/graphql?query="+url.QueryEscape(query), nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", accept)
		r.Header.Set("Authorization", "Bearer "+c.token)
		res, err := web.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if !strings.Contains(string(text), "BAD_USER_INPUT") || strings.Contains(string(text), `"data"`) {
			t.Errorf("%s: %s: %s", accept, res.Status, text)
		}
	}
	var out struct {
		Payments struct{ Nodes []struct{ ID string } }
	}
	c.must(t, `{ payments { nodes { id } } }`, nil, &out)
	if len(out.Payments.Nodes) != 0 {
		t.Errorf("%d payments", len(out.Payments.Nodes))
	}
}
