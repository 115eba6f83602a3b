package servers

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// project keeps the test's containers apart from those a developer has up.
const project = "paydesk-test"

// engineAnswers reports whether there is a Docker with Compose and a running engine.
func engineAnswers() bool {
	if find("docker") == "" {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return run(ctx, nil, "docker", "info") == nil && run(ctx, nil, "docker", "compose", "version") == nil
}

// compose brings the two services of compose.yaml up on free ports, and takes them down when this process ends.
func compose(n Need) (database, redis *Server, err error) {
	root, err := Root()
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	base := []string{"compose", "-p", project, "-f", filepath.Join(root, "compose.yaml")}
	env := []string{"PAYDESK_COMPOSE_DATABASE_PORT=0", "PAYDESK_COMPOSE_REDIS_PORT=0"}
	if err := run(ctx, env, "docker", append(base, "up", "-d", "--wait")...); err != nil {
		return nil, nil, err
	}
	down := append([]string{"docker"}, append(base, "down", "-v")...)
	stop, err := atEnd(down)
	if err != nil {
		return nil, nil, err
	}
	port := func(service, inside string) (string, error) {
		cmd := exec.CommandContext(ctx, "docker", append(base, "port", service, inside)...)
		cmd.Env = append(os.Environ(), env...)
		out, err := cmd.Output()
		return strings.TrimSpace(string(out)), err
	}
	dbAddress, errDB := port("mariadb", "3306")
	redisAddress, errRedis := port("redis", "6379")
	if err := errors.Join(errDB, errRedis); err != nil {
		stop()
		return nil, nil, err
	}
	// One "down" takes both away: it hangs on the server that is asked for first.
	database, redis = &Server{URL: "mysql://root:paydesk@" + dbAddress}, &Server{URL: "redis://" + redisAddress}
	if n.Database {
		database.stop = stop
	} else {
		redis.stop = stop
	}
	return database, redis, nil
}

// atEnd runs a command when stop is called, or else when this process is gone.
func atEnd(command []string) (stop func(), err error) {
	guard := exec.Command("/bin/sh", append([]string{"-c", `read -r word; exec "$@" >/dev/null 2>&1`, "sh"}, command...)...)
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	line, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	return func() { _ = line.Close(); _ = guard.Wait() }, err
}

// Root is the folder of this module's go.mod, looked for from the working directory upwards.
func Root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, missing := os.Stat(filepath.Join(dir, "go.mod")); missing == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			err = errors.New("no go.mod above the working directory")
		}
		dir = up
	}
	return "", err
}

// withoutName drops the database name (and parameters) of a mysql:// URL.
func withoutName(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	rest, _, _ = strings.Cut(rest, "/")
	return scheme + "://" + rest
}
