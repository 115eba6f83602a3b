package testenv

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"time"
)

// kept are settings of homes of this process, by name.
var kept struct {
	sync.Mutex
	values map[string]string
}

// Keep gives a home the settings with a prefix that other homes of this process have made, and takes over what it makes itself: keys that
// take long to make are made once.
func Keep(t testing.TB, home Home, prefix string) {
	t.Helper()
	kept.Lock()
	defer kept.Unlock()
	for name, value := range kept.values {
		if _, err := home.DB.Exec(t.Context(), "INSERT INTO settings (name, value, updated_at) VALUES (?,?,?)", name, value, time.Now().UTC()); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		kept.Lock()
		defer kept.Unlock()
		if kept.values == nil {
			kept.values = map[string]string{}
		}
		err := home.DB.Query(context.Background(), func(r *sql.Rows) error {
			var name, value string
			err := r.Scan(&name, &value)
			kept.values[name] = value
			return err
		}, "SELECT name, value FROM settings WHERE name LIKE ?", prefix+"%")
		if err != nil {
			t.Error(err)
		}
	})
}
