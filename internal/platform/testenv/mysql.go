package testenv

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/redis/go-redis/v9"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv/servers"
)

// MySQL opens a fresh home on MariaDB and Redis: a database and a Redis database of its own, given back when the test ends.
func MySQL(t testing.TB) Home {
	t.Helper()
	db, r := running(t)
	h := Home{Name: NameMySQL, DatabaseURL: freshDatabase(t, db), RedisURL: freshRedis(t, r)}
	h.DB, h.Redis = open(t, h.DatabaseURL), openRedis(t, h.RedisURL)
	return h
}

// EmptyMySQL is the URL of a fresh database without any table, for tests of the migrations themselves.
func EmptyMySQL(t testing.TB) string {
	t.Helper()
	db, _ := running(t)
	_, address := createDatabase(t, db, nil)
	return address
}

// schema is the migrated schema as one script, made once a process by migrating for real: reading it in again takes one
// round trip.
var schema struct {
	sync.Once
	script string
	err    error
}

func freshDatabase(t testing.TB, server *servers.Server) string {
	t.Helper()
	schema.Do(func() {
		name, address := createDatabase(t, server, nil)
		schema.script, schema.err = migratedScript(address, name)
	})
	if schema.err != nil {
		t.Fatal("testenv: ", schema.err)
	}
	_, address := createDatabase(t, server, &schema.script)
	return address
}

func createDatabase(t testing.TB, server *servers.Server, script *string) (name, address string) {
	t.Helper()
	name = freshName()
	admin, err := adminPool(server.URL)
	if err != nil {
		t.Fatal("testenv: ", err)
	}
	defer admin.Close()
	text := "CREATE DATABASE " + name + ";"
	if script != nil {
		text += "USE " + name + ";" + *script
	}
	if _, err := admin.Exec(text); err != nil {
		t.Fatalf("testenv: creating a database (the user of %s must be allowed to): %v", servers.DatabaseVariable, err)
	}
	t.Cleanup(func() {
		admin, err := adminPool(server.URL)
		if err == nil {
			_, err = admin.Exec("DROP DATABASE " + name)
			_ = admin.Close()
		}
		if err != nil {
			t.Log("testenv: ", err)
		}
	})
	return name, server.URL + "/" + name
}

func migratedScript(address, name string) (string, error) {
	ctx := context.Background()
	db, err := database.Open(ctx, address, database.Options{MaxOpen: 1})
	if err != nil {
		return "", err
	}
	defer db.Close()
	if err := database.Migrate(ctx, db); err != nil {
		return "", err
	}
	var tables []string
	err = db.Query(ctx, func(rows *sql.Rows) error {
		var table string
		defer func() { tables = append(tables, table) }()
		return rows.Scan(&table)
	}, "SELECT table_name FROM information_schema.tables WHERE table_schema = ? ORDER BY 1", name)
	if err != nil {
		return "", err
	}
	var script strings.Builder
	for _, table := range tables {
		var create string
		if _, err := db.QueryRow(ctx, []any{&table, &create}, "SHOW CREATE TABLE `"+table+"`"); err != nil {
			return "", err
		}
		script.WriteString(create + ";")
	}
	// The versions, so that a server started on this database finds nothing to migrate.
	err = db.Query(ctx, func(rows *sql.Rows) error {
		var version int64
		defer func() {
			fmt.Fprintf(&script, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, 1);", version)
		}()
		return rows.Scan(&version)
	}, "SELECT version_id FROM goose_db_version ORDER BY id")
	if err != nil {
		return "", err
	}
	return "SET foreign_key_checks=0;" + script.String(), nil
}

// adminPool may send several statements in one packet, which paydesk itself never does.
func adminPool(address string) (*sql.DB, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	cfg := mysql.NewConfig()
	cfg.User = u.User.Username()
	cfg.Passwd, _ = u.User.Password()
	cfg.Net, cfg.Addr, cfg.MultiStatements = "tcp", u.Host, true
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// freshRedis takes the next of the server's databases, in turn over all test processes, and empties it.
func freshRedis(t testing.TB, server *servers.Server) string {
	t.Helper()
	ctx := context.Background()
	o, err := redis.ParseURL(server.URL)
	if err != nil {
		t.Fatal("testenv: ", err)
	}
	c := redis.NewClient(o)
	defer c.Close()
	databases := 16
	if got, err := c.ConfigGet(ctx, "databases").Result(); err == nil {
		_, _ = fmt.Sscan(got["databases"], &databases)
	}
	n, err := c.Incr(ctx, "paydesk:testenv:next").Result()
	if err != nil {
		t.Fatal("testenv: ", err)
	}
	o.DB = 1 + int(n)%(databases-1)
	mine := redis.NewClient(o)
	defer mine.Close()
	if err := mine.FlushDB(ctx).Err(); err != nil {
		t.Fatal("testenv: ", err)
	}
	return fmt.Sprintf("%s/%d", strings.TrimRight(server.URL, "/"), o.DB)
}
