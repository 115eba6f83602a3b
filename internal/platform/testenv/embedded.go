package testenv

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"paydesk/internal/platform/database"
)

// template is a migrated SQLite file, kept in memory: a copy is quicker than a migration.
var template struct {
	sync.Once
	file []byte
	err  error
}

// Embedded opens a fresh embedded home, closed when the test ends.
func Embedded(t testing.TB) Home {
	t.Helper()
	template.Do(func() { template.file, template.err = migratedFile(t.TempDir()) })
	if template.err != nil {
		t.Fatal("testenv: ", template.err)
	}
	path := filepath.Join(t.TempDir(), "paydesk.db")
	if err := os.WriteFile(path, template.file, 0o600); err != nil {
		t.Fatal(err)
	}
	mini := miniredis.RunT(t)
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	go passTime(mini, stop)
	h := Home{Name: NameEmbedded, DatabaseURL: "sqlite://" + path, RedisURL: "redis://" + mini.Addr() + "/0"}
	h.DB, h.Redis = open(t, h.DatabaseURL), openRedis(t, h.RedisURL)
	return h
}

// passTime lets keys expire: miniredis has no clock of its own.
func passTime(mini *miniredis.Miniredis, stop <-chan struct{}) {
	const step = 100 * time.Millisecond
	ticker := time.NewTicker(step)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			mini.FastForward(step)
		case <-stop:
			return
		}
	}
}

func migratedFile(dir string) ([]byte, error) {
	path := filepath.Join(dir, "template.db")
	ctx := context.Background()
	db, err := database.Open(ctx, "sqlite://"+path, database.Options{Relaxed: true})
	if err != nil {
		return nil, err
	}
	if err := database.Migrate(ctx, db); err != nil {
		_ = db.Close()
		return nil, err
	}
	if err := db.Close(); err != nil { // the last connection writes the log back into the file
		return nil, err
	}
	return os.ReadFile(path)
}
