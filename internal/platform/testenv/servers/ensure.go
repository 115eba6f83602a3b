package servers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
)

// Variables that name servers already there.
const (
	DatabaseVariable = "PAYDESK_TEST_DATABASE_URL" // mysql://user:password@host:port, a name at the end is dropped
	RedisVariable    = "PAYDESK_TEST_REDIS_URL"    // redis://host:port
)

// Need says which servers are wanted.
type Need struct{ Database, Redis bool }

// Ensure gives the servers, in this order: the variables, Docker Compose if an engine answers, the binaries on the
// machine, the binaries installed by apt when root. The error says what was tried.
func Ensure(n Need) (database, redis *Server, err error) {
	if url := os.Getenv(DatabaseVariable); url != "" && n.Database {
		database, n.Database = &Server{URL: withoutName(url)}, false
	}
	if url := os.Getenv(RedisVariable); url != "" && n.Redis {
		redis, n.Redis = &Server{URL: url}, false
	}
	if (n.Database || n.Redis) && engineAnswers() {
		d, r, err := compose(n)
		if err != nil {
			return nil, nil, err
		}
		if n.Database {
			database = d
		}
		if n.Redis {
			redis = r
		}
		return database, redis, nil
	}
	if err := installMissing(n); err != nil {
		return nil, nil, err
	}
	var wait sync.WaitGroup
	var errDatabase, errRedis error
	if n.Database {
		wait.Go(func() { database, errDatabase = StartMariaDB(MariaDBOptions{}) })
	}
	if n.Redis {
		wait.Go(func() { redis, errRedis = StartRedis() })
	}
	wait.Wait()
	if err := errors.Join(errDatabase, errRedis); err != nil {
		for _, s := range []*Server{database, redis} {
			if s != nil {
				s.Stop()
			}
		}
		return nil, nil, err
	}
	return database, redis, nil
}

// installMissing installs what of the wanted binaries is missing.
func installMissing(n Need) error {
	var packages []string
	if n.Database && find("mariadbd", "mysqld") == "" {
		packages = append(packages, "mariadb-server")
	}
	if n.Redis && find("redis-server", "valkey-server") == "" {
		packages = append(packages, "redis-server")
	}
	return Install(packages...)
}

// Install installs Debian packages when root, one process at a time, without starting their services.
func Install(packages ...string) error {
	if len(packages) == 0 {
		return nil
	}
	apt := find("apt-get")
	if apt == "" || os.Geteuid() != 0 {
		return fmt.Errorf("%v missing: install it, run Docker, or set %s and %s", packages, DatabaseVariable, RedisVariable)
	}
	lock, err := os.OpenFile(os.TempDir()+"/paydesk-apt.lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() // gives the lock back
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	env := []string{"DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"} // in run level 1 packages start no service
	if err := run(ctx, env, apt, "update", "-q"); err != nil {
		return err
	}
	return run(ctx, env, apt, append([]string{"install", "-y", "-q", "--no-install-recommends"}, packages...)...)
}
