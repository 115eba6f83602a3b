// Package testenv gives tests the two homes that paydesk can live in: embedded (a SQLite file, miniredis in the process)
// and MySQL (MariaDB, with a real Redis). A test written with Each runs whole on both. Each home is fresh and migrated,
// and every statement passes the grammar gate before it runs (without the race detector).
//
// Under `make test` all packages share one MariaDB and one Redis (see cmd); a package tested alone starts its own.
package testenv

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv/servers"
)

// Home is a place for the data, empty but for the schema.
type Home struct {
	Name        string // "embedded" or "mysql"
	DatabaseURL string // for another instance of the server on the same data
	RedisURL    string
	DB          *database.DB
	Redis       redis.UniversalClient // FlushDB empties it; FlushAll would empty other tests'
}

// Names of the homes.
const (
	NameEmbedded = "embedded"
	NameMySQL    = "mysql"
)

// Each runs fn as a subtest on each home. A home is opened when its subtest runs, so `-run Name/embedded` starts no server.
func Each(t *testing.T, fn func(t *testing.T, home Home)) {
	t.Helper()
	t.Run(NameEmbedded, func(t *testing.T) { fn(t, Embedded(t)) })
	t.Run(NameMySQL, func(t *testing.T) { fn(t, MySQL(t)) })
}

// Homes opens both homes; they are closed when the test ends.
func Homes(t testing.TB) []Home {
	t.Helper()
	return []Home{Embedded(t), MySQL(t)}
}

// Open opens the home's database once more, as another instance of the server would.
func (h Home) Open(t testing.TB) *database.DB { return open(t, h.DatabaseURL) }

func open(t testing.TB, url string) *database.DB {
	t.Helper()
	dialect, _, _ := strings.Cut(url, ":")
	db, err := database.Open(context.Background(), url, database.Options{Relaxed: true, Observe: observe(dialect)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func openRedis(t testing.TB, url string) redis.UniversalClient {
	t.Helper()
	o, err := redis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// found are the servers of this process; they end with it (servers.start keeps watch).
var found = sync.OnceValues(func() ([2]*servers.Server, error) {
	db, r, err := servers.Ensure(servers.Need{Database: true, Redis: true})
	return [2]*servers.Server{db, r}, err
})

// running gives the shared servers, or fails the test: a test that cannot run has not passed.
func running(t testing.TB) (db, r *servers.Server) {
	t.Helper()
	both, err := found()
	if err != nil {
		t.Fatal("testenv: ", err)
	}
	return both[0], both[1]
}

var number atomic.Int64

var notName = regexp.MustCompile(`\W`)

// freshName is a database name nobody else uses: package, process, count.
func freshName() string {
	binary := strings.TrimSuffix(filepath.Base(os.Args[0]), ".test")
	return fmt.Sprintf("t_%.20s_%d_%d", notName.ReplaceAllString(binary, "_"), os.Getpid(), number.Add(1))
}

// Chromium is the path of a browser for tests; see servers.Chromium.
func Chromium(t testing.TB) string {
	t.Helper()
	path, err := servers.Chromium()
	if err != nil {
		t.Fatal("testenv: ", err)
	}
	return path
}
