package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"paydesk/documents"
	"paydesk/internal/platform/persisted"
	"paydesk/internal/platform/testenv"
)

const onlyRegistered = "PAYDESK_PERSISTED_ONLY=true"

// TestRegisteredDocumentsAlone: where nothing else runs, the main job and the page work whole.
func TestRegisteredDocumentsAlone(t *testing.T) {
	needNode(t)
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{env: []string{onlyRegistered}})
		t.Run("main job by text", func(t *testing.T) { script(t, nil, "main-job.mjs", s.URL) })
		t.Run("main job by name", func(t *testing.T) { script(t, []string{"BY_ID=1"}, "main-job.mjs", s.URL) })
	})
	t.Run("page", func(t *testing.T) {
		s := start(t, nil, options{env: []string{onlyRegistered}})
		script(t, []string{"CHROMIUM=" + testenv.Chromium(t)}, "page.mjs", s.URL, t.TempDir(), "desktop,others,reconnects")
	})
}

// TestUnregisteredIsRefused on every transport, by text, by hash and by documentId; a registered one runs on each.
func TestUnregisteredIsRefused(t *testing.T) {
	s := start(t, nil, options{env: []string{onlyRegistered}})
	ping := registeredAs(t, "Ping")
	other := persisted.NewOperation("Other", "query", "query Other { now }")
	for _, way := range ways {
		t.Run(way.name, func(t *testing.T) {
			for what, payload := range map[string]map[string]any{
				"text": {"query": ping.Body}, "documentId": {"documentId": "sha256:" + ping.ID}, "hash": {"extensions": extension(ping.ID)},
			} {
				if got := way.send(t, s, payload); !strings.Contains(got, `"__typename":"Query"`) {
					t.Errorf("registered, by %s: %s", what, got)
				}
			}
			for what, payload := range map[string]map[string]any{
				"text": {"query": other.Body}, "nearly the text": {"query": ping.Body + " "}, "documentId": {"documentId": "sha256:" + other.ID},
				"hash": {"extensions": extension(other.ID)}, "persisting": {"query": other.Body, "extensions": extension(other.ID)},
				"introspection": {"query": "{ __schema { queryType { name } } }"}, "nothing but __typename": {"query": "{ __typename }"},
			} {
				got := way.send(t, s, payload)
				if !strings.Contains(got, `"PERSISTED_QUERY_NOT_FOUND"`) || strings.Contains(got, `"data"`) {
					t.Errorf("not registered, by %s: %s", what, got)
				}
			}
		})
	}
}

// TestPersistedByAllInstances: what one instance was sent another finds by its hash, on every transport, and with Redis gone
// clients just send the text again.
func TestPersistedByAllInstances(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		one, two := start(t, homeEnv(home), options{}), start(t, homeEnv(home), options{})
		for _, way := range ways {
			t.Run(way.name, func(t *testing.T) {
				o := persisted.NewOperation("", "query", "query Over"+way.name+" { __typename }")
				if got := way.send(t, one, map[string]any{"extensions": extension(o.ID)}); !strings.Contains(got, "PersistedQueryNotFound") {
					t.Fatal(got)
				}
				if got := way.send(t, one, map[string]any{"query": o.Body, "extensions": extension(o.ID)}); !strings.Contains(got, `"Query"`) {
					t.Fatal(got)
				}
				if got := way.send(t, two, map[string]any{"extensions": extension(o.ID)}); !strings.Contains(got, `"Query"`) {
					t.Fatal(got)
				}
			})
		}
		t.Run("poisoned", func(t *testing.T) { poisoned(t, home, one, two) })
		ttl := home.Redis.TTL(t.Context(), key(t, home)).Val()
		if ttl <= 23*time.Hour || ttl > 24*time.Hour {
			t.Errorf("Redis keeps a document for %v", ttl)
		}
	})
}

// key is one of the places where a document lies.
func key(t *testing.T, home testenv.Home) string {
	t.Helper()
	keys, err := home.Redis.Keys(t.Context(), "document:*").Result()
	if err != nil || len(keys) < len(ways) {
		t.Fatal(keys, err)
	}
	return keys[0]
}

// poisoned: somebody writes other texts into Redis. None of them runs.
func poisoned(t *testing.T, home testenv.Home, one, two *server) {
	o := persisted.NewOperation("", "query", "query Poisoned { __typename }")
	post := ways[0]
	post.send(t, one, map[string]any{"query": o.Body, "extensions": extension(o.ID)})
	place := "document:" + o.ID[:3]
	if got := home.Redis.Get(t.Context(), place).Val(); got != o.Body {
		t.Fatalf("%s holds %q", place, got)
	}
	if err := home.Redis.Set(t.Context(), place, "query Evil { __typename now }", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	if got := post.send(t, two, map[string]any{"extensions": extension(o.ID)}); !strings.Contains(got, "PersistedQueryNotFound") {
		t.Error(got)
	}
	if got := post.send(t, one, map[string]any{"extensions": extension(o.ID)}); !strings.Contains(got, `"Query"`) {
		t.Error("who knows it by itself:", got)
	}
}

// TestRedisStopsUnderPersistedDocuments: a Redis that hangs costs such a request little, and what an instance knows it serves.
func TestRedisStopsUnderPersistedDocuments(t *testing.T) {
	home := testenv.Embedded(t)
	redis := newLink(t, home)
	s := start(t, homeEnv(home), options{env: []string{"PAYDESK_REDIS_URL=" + redis.URL}})
	known := persisted.NewOperation("", "query", "query Known { __typename }")
	post := ways[0]
	post.send(t, s, map[string]any{"query": known.Body, "extensions": extension(known.ID)})
	redis.hang(true)
	for i := range 20 {
		fresh := persisted.NewOperation("", "query", fmt.Sprintf("query Fresh%d { __typename }", i))
		begin := time.Now()
		if got := post.send(t, s, map[string]any{"extensions": extension(fresh.ID)}); !strings.Contains(got, "PersistedQueryNotFound") {
			t.Fatal(got)
		}
		for _, payload := range []map[string]any{{"query": fresh.Body, "extensions": extension(fresh.ID)}, {"extensions": extension(fresh.ID)}, {"extensions": extension(known.ID)}} {
			if got := post.send(t, s, payload); !strings.Contains(got, `"Query"`) {
				t.Fatal(got)
			}
		}
		if took := time.Since(begin); took > 3*time.Second {
			t.Errorf("with a Redis that hangs, four requests took %v", took)
		}
	}
	if n := strings.Count(s.log.tail(1<<20), "Redis does not share persisted documents"); n != 1 {
		t.Errorf("told %d times", n)
	}
	redis.hang(false)
}

// TestWrongManifestStopsTheStart with one line that names the variable and what is wrong.
func TestWrongManifestStopsTheStart(t *testing.T) {
	invalid := persisted.NewOperation("", "query", "query A { nothing }")
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":          {"query A { now }", "not a JSON object"},
		"another's hash":    {fmt.Sprintf(`{%q:"{ now }"}`, invalid.ID), "is not the SHA-256 of its text"},
		"not of the schema": {fmt.Sprintf(`{%q:%q}`, invalid.ID, invalid.Body), `Cannot query field \"nothing\"`},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "documents.json")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), readyWithin)
			defer cancel()
			cmd := exec.CommandContext(ctx, binary(t, ""), "serve")
			cmd.Dir = t.TempDir()
			cmd.Env = append(cleanEnv(), "PAYDESK_LISTEN=127.0.0.1:0", "PAYDESK_DATA_DIR="+t.TempDir(), "PAYDESK_PERSISTED_DOCUMENTS="+file)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			err := cmd.Run()
			said := stderr.String()
			if err == nil || strings.Count(said, "PAYDESK_PERSISTED_DOCUMENTS is") != 1 || !strings.Contains(said, strings.ReplaceAll(c.want, `\"`, `"`)) {
				t.Errorf("%v: %s", err, said)
			}
		})
	}
}

func registeredAs(t *testing.T, name string) persisted.Operation {
	t.Helper()
	for _, o := range documents.Manifest().Operations {
		if o.Name == name {
			return o
		}
	}
	t.Fatalf("no operation %s is registered", name)
	panic("unreachable")
}

func extension(hash string) map[string]any {
	return map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}
}

// ways are the transports: each sends the members of a request, and gives what the server says of it.
var ways = []struct {
	name string
	send func(t *testing.T, s *server, payload map[string]any) string
}{
	{"POST", func(t *testing.T, s *server, payload map[string]any) string {
		return exchange(t, s, http.MethodPost, "", "application/json", "", marshal(payload))
	}},
	{"GET", func(t *testing.T, s *server, payload map[string]any) string {
		q := url.Values{}
		for name, value := range payload {
			if text, ok := value.(string); ok {
				q.Set(name, text)
			} else {
				q.Set(name, string(marshal(value)))
			}
		}
		return exchange(t, s, http.MethodGet, "?"+q.Encode(), "", "", nil)
	}},
	{"Multipart", func(t *testing.T, s *server, payload map[string]any) string {
		var body bytes.Buffer
		form := multipart.NewWriter(&body)
		_ = form.WriteField("operations", string(marshal(payload)))
		_ = form.WriteField("map", "{}")
		_ = form.Close()
		return exchange(t, s, http.MethodPost, "", form.FormDataContentType(), "", body.Bytes())
	}},
	{"SSE", func(t *testing.T, s *server, payload map[string]any) string {
		return exchange(t, s, http.MethodPost, "", "application/json", "text/event-stream", marshal(payload))
	}},
	{"WebSocket", overWebSocket},
}

func exchange(t *testing.T, s *server, method, query, kind, accept string, body []byte) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+"/graphql"+query, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Paydesk-Client", "test")
	for name, value := range map[string]string{"Content-Type": kind, "Accept": accept} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	_, text := answerTo(t, r)
	return text
}

func overWebSocket(t *testing.T, s *server, payload map[string]any) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	c, _, err := websocket.Dial(ctx, s.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	var last string
	for _, frame := range []any{map[string]any{"type": "connection_init"}, map[string]any{"id": "1", "type": "subscribe", "payload": payload}} {
		if err := c.Write(ctx, websocket.MessageText, marshal(frame)); err != nil {
			t.Fatal(err)
		}
		_, data, err := c.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		last = string(data)
	}
	return last
}

func marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
