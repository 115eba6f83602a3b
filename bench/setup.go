package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"paydesk/bench/data"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv/servers"
	"paydesk/models"
)

// harness is everything a benchmark runs on.
type harness struct {
	config
	dir     string
	set     *data.Set
	db      *sql.DB // the bench's own connection
	desk    *database.DB
	dbPID   int // the MariaDB server, 0 where it is not ours to see
	issuer  *auth.Issuer
	targets []*target
	tokens  map[models.ID]string
	stock   map[string]*stock
	baskets []data.Together // thirty orders each
	basket  atomic.Int64    // the next of them
	paid    int64           // payments that were answered with success
	before  int64           // payments that were there
	pprof   string          // address of paydesk's profiles, where they are wanted
	stop    []func()
}

func (h *harness) close() {
	for i := len(h.stop) - 1; i >= 0; i-- {
		h.stop[i]()
	}
}

func setUp(ctx context.Context, c config) (_ *harness, err error) {
	h := &harness{config: c, tokens: map[models.ID]string{}, stock: map[string]*stock{}}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	if h.dir, err = os.MkdirTemp("", "paydesk-bench-"); err != nil {
		return nil, err
	}
	h.stop = append(h.stop, func() { _ = os.RemoveAll(h.dir) })
	if err := h.openServers(ctx); err != nil {
		return nil, err
	}
	if err := h.fill(ctx); err != nil {
		return nil, err
	}
	return h, h.startTargets(ctx)
}

// openServers starts a private MariaDB with durable commits, and a private Redis, unless their addresses are given.
func (h *harness) openServers(ctx context.Context) error {
	if h.database == "" {
		db, err := servers.StartMariaDB(servers.MariaDBOptions{Durable: true, BufferPool: "2G", Args: []string{"--log-bin=binlog", "--max-binlog-size=256M"}})
		if err != nil {
			return err
		}
		h.stop, h.dbPID = append(h.stop, db.Stop), db.PID
		h.database = db.URL + "/bench"
	}
	if h.redis == "" {
		r, err := servers.StartRedis()
		if err != nil {
			return err
		}
		h.stop = append(h.stop, r.Stop)
		h.redis = r.URL
	}
	dsn, name, err := dsnOf(h.database)
	if err != nil {
		return err
	}
	if err := createDatabase(ctx, dsn, name); err != nil {
		return err
	}
	if h.db, err = sql.Open("mysql", dsn); err != nil {
		return err
	}
	h.stop = append(h.stop, func() { _ = h.db.Close() })
	if h.dbPID == 0 {
		h.dbPID = localPID(ctx, h.db)
	}
	if h.desk, err = database.Open(ctx, h.database, database.Options{MaxOpen: 4}); err != nil {
		return err
	}
	h.stop = append(h.stop, func() { _ = h.desk.Close() })
	return database.Migrate(ctx, h.desk)
}

// dsnOf is the driver's form of a mysql:// URL.
func dsnOf(address string) (dsn, name string, err error) {
	u, err := url.Parse(address)
	if err != nil || u.User == nil || len(u.Path) < 2 {
		return "", "", errors.New("a database URL is mysql://user:password@host:port/name")
	}
	c := mysql.NewConfig()
	c.User = u.User.Username()
	c.Passwd, _ = u.User.Password()
	c.Net, c.Addr, c.DBName = "tcp", u.Host, strings.TrimPrefix(u.Path, "/")
	c.ParseTime, c.InterpolateParams, c.Collation = true, true, "utf8mb4_bin"
	c.Params = map[string]string{"time_zone": "'+00:00'"}
	return c.FormatDSN(), c.DBName, nil
}

func createDatabase(ctx context.Context, dsn, name string) error {
	c, err := mysql.ParseDSN(dsn)
	if err != nil {
		return err
	}
	c.DBName = ""
	db, err := sql.Open("mysql", c.FormatDSN())
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "CREATE DATABASE IF NOT EXISTS `"+name+"`")
	return err
}

// localPID asks the server for its process; 0 where that is not on this machine.
func localPID(ctx context.Context, db *sql.DB) int {
	var file string
	if err := db.QueryRowContext(ctx, "SELECT @@pid_file").Scan(&file); err != nil {
		return 0
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(text)))
	return pid
}

// plan is the setting that remembers what a database was filled with.
const plan = "bench.plan"

type planned struct {
	Size data.Size
	Made time.Time
}

// fill writes the data, unless the database has them from an earlier run.
func (h *harness) fill(ctx context.Context) error {
	var text string
	err := h.db.QueryRowContext(ctx, "SELECT value FROM settings WHERE name = ?", plan).Scan(&text)
	switch {
	case err == nil:
		var p planned
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return err
		}
		h.size, h.set = p.Size, data.Plan(p.Size, p.Made)
	case errors.Is(err, sql.ErrNoRows):
		if err := h.write(ctx); err != nil {
			return err
		}
	default:
		return err
	}
	if err := h.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM payments").Scan(&h.before); err != nil {
		return err
	}
	h.issuer, err = auth.NewIssuer(ctx, h.desk)
	return err
}

func (h *harness) write(ctx context.Context) error {
	begin := time.Now()
	h.set = data.Plan(h.size, begin)
	if err := h.set.Write(ctx, h.db); err != nil {
		return err
	}
	text, err := json.Marshal(planned{h.size, h.set.Made})
	if err != nil {
		return err
	}
	for _, table := range []string{"accounts", "balances", "orders", "payments", "postings", "payment_orders", "payment_events"} {
		if _, err := h.db.ExecContext(ctx, "ANALYZE TABLE "+table); err != nil {
			return err
		}
	}
	_, err = h.db.ExecContext(ctx, "INSERT INTO settings (name, value, updated_at) VALUES (?, ?, ?)", plan, string(text), begin.UTC())
	fmt.Printf("data: %d accounts, %d orders in %.0f s\n", h.size.Accounts, h.size.Orders, time.Since(begin).Seconds())
	return err
}

// build builds a package of this module.
func (h *harness) build(ctx context.Context, name, pkg string, flags ...string) (string, error) {
	root, err := servers.Root()
	if err != nil {
		return "", err
	}
	out := filepath.Join(h.dir, name)
	cmd := exec.CommandContext(ctx, "go", append(append([]string{"build", "-o", out}, flags...), pkg)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", pkg, err, text)
	}
	return out, nil
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
