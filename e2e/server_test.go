package e2e

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

const (
	readyWithin = 60 * time.Second // migrations and demo data on a busy machine
	diesWithin  = 30 * time.Second
	drainWithin = 15 * time.Second // contract.md §1
)

// built are the binaries of this process, by build tags.
var built = struct {
	sync.Mutex
	dir   string
	paths map[string]string
}{paths: map[string]string{}}

// binary builds the server once for each set of tags.
func binary(t testing.TB, tags string) string {
	t.Helper()
	built.Lock()
	defer built.Unlock()
	if path, ok := built.paths[tags]; ok {
		return path
	}
	if built.dir == "" {
		dir, err := os.MkdirTemp("", "paydesk-e2e-")
		if err != nil {
			t.Fatal(err)
		}
		built.dir = dir
	}
	if err := console(); err != nil {
		t.Fatal(err)
	}
	noticeSources(t)
	path := filepath.Join(built.dir, "paydesk-"+tags)
	cmd := exec.Command("go", "build", "-tags", tags, "-o", path, ".")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build -tags %q: %v\n%s", tags, err, out)
	}
	built.paths[tags] = path
	return path
}

// noticeSources looks at every file the server is built from: so go test knows of them, and repeats no result of an older
// server out of its cache.
func noticeSources(t testing.TB) {
	t.Helper()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && (d.Name() == "node_modules" || d.Name() == "data" || strings.HasPrefix(d.Name(), ".g")) {
			return cmp.Or(err, fs.SkipDir)
		}
		if !d.IsDir() && strings.Contains(" .go .graphqls .graphql .sql .yaml .json .js .css .html ", " "+filepath.Ext(path)+" ") {
			_, _ = os.Stat(path) // one that was just removed is noticed, too
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestMain(m *testing.M) {
	code := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(code)
}

// options of a server under test.
type options struct {
	tags   string   // build tags
	listen string   // "127.0.0.1:port"; a free port where empty
	env    []string // more of the environment
}

// server is a running process of the product.
type server struct {
	URL  string
	env  []string
	path string

	cmd    *exec.Cmd
	exited chan struct{}
	err    error // of Wait, once exited is closed
	log    lockedBuffer
}

// homeEnv is how a server is told of a home. Development is switched on by hand, since a mysql:// home has it off.
func homeEnv(h testenv.Home) []string {
	return []string{"PAYDESK_DATABASE_URL=" + h.DatabaseURL, "PAYDESK_REDIS_URL=" + h.RedisURL, "PAYDESK_DEV=true"}
}

// start runs the server on a home until the test ends, and waits until it is ready. At the end it must drain with exit 0,
// and then the audit must be clean: it runs after every test here.
func start(t testing.TB, env []string, o options) *server {
	t.Helper()
	s := launch(t, env, o)
	s.awaitReady(t)
	t.Cleanup(func() {
		s.stop(t)
		s.audit(t)
	})
	return s
}

// launch starts a process without waiting for it; it is killed at the end of the test if it still runs then.
func launch(t testing.TB, env []string, o options) *server {
	t.Helper()
	if o.listen == "" {
		o.listen = freeAddress(t)
	}
	s := &server{URL: "http://" + o.listen, path: binary(t, o.tags), exited: make(chan struct{})}
	s.env = slices.Concat(cleanEnv(), []string{"PAYDESK_LISTEN=" + o.listen, "PAYDESK_DATA_DIR=" + t.TempDir()}, env, o.env)
	s.cmd = exec.Command(s.path, "serve")
	s.cmd.Env, s.cmd.Dir = s.env, t.TempDir() // no .env of ours is read
	s.cmd.Stdout, s.cmd.Stderr = &s.log, &s.log
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		s.err = s.cmd.Wait()
		close(s.exited)
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill()
		<-s.exited
		if t.Failed() {
			t.Logf("the server's last words:\n%s", s.log.tail(6000))
		}
	})
	return s
}

// cleanEnv is the environment without PAYDESK_ settings of whoever runs the tests.
func cleanEnv() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PAYDESK_") })
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *server) awaitReady(t testing.TB) {
	t.Helper()
	await(t, readyWithin, "the server is ready", func() (bool, error) {
		select {
		case <-s.exited:
			t.Fatalf("the server ended before it was ready: %v\n%s", s.err, s.log.tail(6000))
		default:
		}
		res, err := http.Get(s.URL + "/readyz")
		if err != nil {
			return false, err
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK, fmt.Errorf("readyz: %s", res.Status)
	})
}

// stop asks the server to end, as an operator does, and wants it to drain in time with exit 0.
func (s *server) stop(t testing.TB) {
	t.Helper()
	select {
	case <-s.exited:
		return
	default:
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
		if s.err != nil {
			t.Errorf("SIGTERM: %v, want exit 0", s.err)
		}
	case <-time.After(drainWithin):
		t.Errorf("SIGTERM: still running after %v", drainWithin)
	}
}

// awaitKilled waits until the process has died of SIGKILL.
func (s *server) awaitKilled(t testing.TB) {
	t.Helper()
	select {
	case <-s.exited:
	case <-time.After(diesWithin):
		t.Fatal("the process did not reach its failpoint")
	}
	if exit, ok := errors.AsType[*exec.ExitError](s.err); !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended with %v, want SIGKILL", s.err)
	}
}

// audit runs `paydesk audit` on the server's home: every ledger and payment invariant.
func (s *server) audit(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.path, "audit")
	cmd.Env, cmd.Dir = s.env, s.cmd.Dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("audit: %v\n%s", err, out)
	}
}

// await asks until the answer is yes; why says what is awaited.
func await(t testing.TB, within time.Duration, why string, ask func() (bool, error)) {
	t.Helper()
	deadline := time.Now().Add(within)
	for {
		ok, err := ask()
		if ok {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s (%v)", within, why, err)
		}
		time.Sleep(20 * time.Millisecond) // between two looks at the condition
	}
}

// lockedBuffer is a log that may be read while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.b.String()
	return text[max(0, len(text)-n):]
}
