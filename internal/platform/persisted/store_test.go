package persisted_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/persisted"
	"paydesk/internal/platform/redisx"
	"paydesk/internal/platform/testenv"
)

var quiet = slog.New(slog.DiscardHandler)

const ttl = time.Hour

func document(text string) (hash, body string) {
	o := persisted.NewOperation("", "", text)
	return o.ID, o.Body
}

// key is where a document lies.
func key(hash string) string { return "document:" + hash[:3] }

func TestTwoInstancesShare(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx := t.Context()
		here, there := persisted.NewStore(home.Redis, ttl, quiet), persisted.NewStore(home.Redis, ttl, quiet)
		hash, text := document("{ a }")
		if _, found := there.Load(ctx, hash); found {
			t.Fatal("found before it was saved")
		}
		here.Save(ctx, hash, text)
		if got, found := there.Load(ctx, hash); !found || got != text {
			t.Fatal(got, found)
		}

		// Use prolongs its life.
		if err := home.Redis.Expire(ctx, key(hash), time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
		there.Load(ctx, hash)
		if left := home.Redis.TTL(ctx, key(hash)).Val(); left < ttl-time.Minute || left > ttl {
			t.Error("after its use it lives for", left)
		}

		// Redis is emptied: not found, and saved again.
		if err := home.Redis.FlushDB(ctx).Err(); err != nil {
			t.Fatal(err)
		}
		if _, found := there.Load(ctx, hash); found {
			t.Error("found in an empty Redis")
		}
		there.Save(ctx, hash, text)
		if _, found := here.Load(ctx, hash); !found {
			t.Error("not found again")
		}
	})
}

func TestRedisIsNeverTheTruth(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		ctx := t.Context()
		s := persisted.NewStore(home.Redis, ttl, quiet)
		hash, text := document("{ a }")
		for what, poison := range map[string]string{
			"another text": "mutation { evil }", "nothing": "", "a long text": strings.Repeat("x", persisted.MaxBytes+1), "its beginning": text[:2],
		} {
			if err := home.Redis.Set(ctx, key(hash), poison, ttl).Err(); err != nil {
				t.Fatal(err)
			}
			if got, found := s.Load(ctx, hash); found {
				t.Errorf("%s: %q was believed", what, got)
			}
		}
		if err := home.Redis.Del(ctx, key(hash)).Err(); err != nil {
			t.Fatal(err)
		}
		if err := home.Redis.HSet(ctx, key(hash), "a", "b").Err(); err != nil { // of another type: the store heals it
			t.Fatal(err)
		}
		if got, found := s.Load(ctx, hash); found {
			t.Errorf("a hash: %q was believed", got)
		}
		s.Save(ctx, hash, text)
		if got, found := s.Load(ctx, hash); !found || got != text {
			t.Error("not healed:", got, found)
		}
		for _, wrong := range []string{"", "abc", hash + "0"} {
			s.Save(ctx, wrong, text)
			if _, found := s.Load(ctx, wrong); found {
				t.Errorf("found as %q", wrong)
			}
		}
		long, body := document(strings.Repeat("#", persisted.MaxBytes) + text)
		s.Save(ctx, long, body)
		if n := home.Redis.Exists(ctx, key(long)).Val(); n != 0 {
			t.Error("a document beyond the bound was stored")
		}
	})
}

// However many documents are thought of, Redis holds a bounded number.
func TestRedisIsBounded(t *testing.T) {
	home := testenv.Embedded(t)
	s := persisted.NewStore(home.Redis, ttl, quiet)
	for i := range 20_000 {
		hash, text := document("{ a } #" + strings.Repeat("x", i%100) + time.Duration(i).String())
		s.Save(t.Context(), hash, text)
	}
	if n := home.Redis.DBSize(t.Context()).Val(); n > 4096 || n < 3500 {
		t.Errorf("%d keys", n)
	}
}

// A Redis that hangs costs a request little, the next none, and is told of once.
func TestRedisHangs(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	away(t, l.Addr().String(), time.Second)
}

func TestRedisIsAway(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	away(t, l.Addr().String(), time.Second)
}

func away(t *testing.T, address string, within time.Duration) {
	t.Helper()
	client, end, err := redisx.Open("redis://" + address)
	if err != nil {
		t.Fatal(err)
	}
	defer end()
	var log bytes.Buffer
	s := persisted.NewStore(client, ttl, slog.New(slog.NewTextHandler(&log, nil)))
	hash, text := document("{ a }")
	begin := time.Now()
	if _, found := s.Load(t.Context(), hash); found {
		t.Error("found")
	}
	if took := time.Since(begin); took > within {
		t.Error("the first took", took)
	}
	begin = time.Now()
	for range 1000 {
		s.Save(t.Context(), hash, text)
		s.Load(t.Context(), hash)
	}
	if took := time.Since(begin); took > within {
		t.Error("the next thousand took", took)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("told %d times: %s", n, log.String())
	}
}

// Redis comes back: after a while it is asked again.
func TestRedisComesBack(t *testing.T) {
	home := testenv.Embedded(t)
	closed := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1", Dialer: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }})
	defer closed.Close()
	fails := &failing{UniversalClient: home.Redis, away: closed}
	s := persisted.NewStore(fails, ttl, quiet)
	hash, text := document("{ a }")
	s.Save(t.Context(), hash, text)
	fails.now = true
	if _, found := s.Load(t.Context(), hash); found {
		t.Fatal("found")
	}
	fails.now = false
	deadline := time.Now().Add(10 * time.Second)
	for {
		if _, found := s.Load(t.Context(), hash); found {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("never asked again")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// failing reads from a server that is away while now is set.
type failing struct {
	redis.UniversalClient
	away redis.UniversalClient
	now  bool
}

func (f *failing) Pipeline() redis.Pipeliner {
	if f.now {
		return f.away.Pipeline()
	}
	return f.UniversalClient.Pipeline()
}

// Who hangs up says nothing about Redis.
func TestClientHangsUp(t *testing.T) {
	home := testenv.Embedded(t)
	s := persisted.NewStore(home.Redis, ttl, quiet)
	hash, text := document("{ a }")
	s.Save(t.Context(), hash, text)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	s.Load(gone, hash)
	if _, found := s.Load(t.Context(), hash); !found {
		t.Error("not asked after a client hung up")
	}
}
