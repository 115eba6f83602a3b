package servers

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/go-sql-driver/mysql" // to ask whether the server answers
)

// MariaDBOptions say what the server is for.
type MariaDBOptions struct {
	// Durable makes every COMMIT reach the disk, as in production: for benchmarks and fault tests. Without it commits
	// survive the death of the server's process, not of the machine, and cost no disk.
	Durable    bool
	BufferPool string   // innodb_buffer_pool_size, "128M" by default
	Args       []string // further arguments of the server
}

// user and password of the account that may do everything, on 127.0.0.1 only.
const account = "paydesk:paydesk"

// StartMariaDB starts a private MariaDB (or MySQL) from the binaries on the machine. Its URL has no database name:
// URL + "/name" opens one.
func StartMariaDB(o MariaDBOptions) (*Server, error) {
	server := find("mariadbd", "mysqld")
	if server == "" {
		return nil, errors.New("no mariadbd or mysqld on this machine")
	}
	dir, err := os.MkdirTemp("", "paydesk-db-")
	if err != nil {
		return nil, err
	}
	s, err := startMariaDB(dir, server, o)
	if err != nil {
		_ = os.RemoveAll(dir)
	}
	return s, err
}

func startMariaDB(dir, server string, o MariaDBOptions) (*Server, error) {
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	data, tmp := filepath.Join(dir, "data"), filepath.Join(dir, "tmp")
	// A folder for temporary tables of its own: at its start a server removes what it finds there, and in a shared one
	// that is another server's.
	if err := os.Mkdir(tmp, 0o700); err != nil {
		return nil, err
	}
	if err := install(dir, data, tmp, server, me.Username); err != nil {
		return nil, err
	}
	name, password, _ := strings.Cut(account, ":")
	first := filepath.Join(dir, "first.sql")
	grants := fmt.Sprintf("CREATE USER IF NOT EXISTS '%s'@'%%' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO '%s'@'%%' WITH GRANT OPTION;\n", name, password, name)
	if err := os.WriteFile(first, []byte(grants), 0o600); err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	if o.BufferPool == "" {
		o.BufferPool = "128M"
	}
	args := []string{"--no-defaults", "--user=" + me.Username, "--datadir=" + data, "--tmpdir=" + tmp, "--init-file=" + first,
		"--bind-address=127.0.0.1", fmt.Sprintf("--port=%d", port), "--socket=" + filepath.Join(dir, "s"),
		"--pid-file=" + filepath.Join(dir, "pid"), "--skip-name-resolve", "--max-connections=1000",
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_bin", "--innodb-buffer-pool-size=" + o.BufferPool}
	args = append(args, durability(server, o.Durable)...)
	args = append(args, o.Args...)
	address := fmt.Sprintf("127.0.0.1:%d", port)
	db, err := sql.Open("mysql", account+"@tcp("+address+")/?timeout=2s")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	s, err := start(dir, db.Ping, server, args...)
	if err != nil {
		return nil, err
	}
	s.URL = "mysql://" + account + "@" + address
	return s, nil
}

func durability(server string, durable bool) []string {
	if durable {
		return []string{"--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1", "--innodb-log-file-size=512M"}
	}
	args := []string{"--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0", "--skip-log-bin", "--innodb-doublewrite=0"}
	if isMariaDB(server) {
		args = append(args, "--innodb-flush-method=nosync", "--innodb-log-file-size=48M")
	}
	return args
}

func isMariaDB(server string) bool { return strings.Contains(filepath.Base(server), "mariadbd") }

// install writes the system tables.
func install(dir, data, tmp, server, me string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	if tool := find("mariadb-install-db", "mysql_install_db"); tool != "" && isMariaDB(server) {
		return run(ctx, nil, tool, "--no-defaults", "--user="+me, "--datadir="+data, "--tmpdir="+tmp,
			"--auth-root-authentication-method=normal", "--skip-test-db", "--innodb-flush-method=nosync", "--innodb-log-file-size=16M")
	}
	return run(ctx, nil, server, "--no-defaults", "--initialize-insecure", "--user="+me, "--datadir="+data,
		"--tmpdir="+tmp, "--log-error="+filepath.Join(dir, "install.log"))
}
