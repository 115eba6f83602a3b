package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

// clients installs what package-lock.json names, once a process and only where it is missing.
var clients = sync.OnceValue(func() error { return install(".") })

// console builds GraphiQL where nobody has: the server under test has it, as make run's does. Without npm the server
// is whole without it (contract.md §1).
var console = sync.OnceValue(func() error {
	if _, err := os.Stat("../console/dist/index.html"); err == nil || !hasNode() {
		return nil
	}
	if err := install("../console"); err != nil {
		return err
	}
	return run("../console", "npm", "run", "build")
})

func hasNode() bool {
	_, err := exec.LookPath("npm")
	return err == nil
}

// install is npm ci where that has not been done since package-lock.json was last changed.
func install(dir string) error {
	installed, err := os.Stat(filepath.Join(dir, "node_modules", ".package-lock.json"))
	wanted, missing := os.Stat(filepath.Join(dir, "package-lock.json"))
	if err == nil && (missing != nil || !installed.ModTime().Before(wanted.ModTime())) {
		return nil
	}
	return run(dir, "npm", "ci", "--no-audit", "--no-fund")
}

func run(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return &failure{err, out}
	}
	return nil
}

type failure struct {
	err error
	out []byte
}

func (f *failure) Error() string { return f.err.Error() + "\n" + string(f.out) }

// needNode: a clean checkout tests without npm; then what needs it is left out, and says so.
func needNode(t *testing.T) {
	t.Helper()
	if !hasNode() {
		t.Skip("npm is not here: the tests with Node's clients and the browser are left out")
	}
	if err := clients(); err != nil {
		t.Fatal(err)
	}
}

// script runs one of the Node scripts here.
func script(t *testing.T, env []string, name string, args ...string) {
	t.Helper()
	t.Logf("%s:\n%s", name, output(t, env, name, args...))
}

// output runs one of the Node scripts here and gives what it prints.
func output(t *testing.T, env []string, name string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", append([]string{name}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return out
}

// TestMainJob is the main job with real clients over HTTP, WebSocket and SSE; start runs the audit at the end. (PA-8 to
// PA-14, PA-20, TX-3, TX-4, TX-5, TX-6, TX-7, HW-1, HW-2, HW-3, HW-23, HW-28)
func TestMainJob(t *testing.T) {
	needNode(t)
	t.Run("as make run has it", func(t *testing.T) { // no address given: SQLite in the data folder, miniredis in the process
		s := start(t, nil, options{})
		script(t, nil, "main-job.mjs", s.URL)
	})
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s := start(t, homeEnv(home), options{})
		script(t, nil, "main-job.mjs", s.URL)
	})
}

// TestTwoInstances: what happens through one instance is seen live through the other.
func TestTwoInstances(t *testing.T) {
	needNode(t)
	home := testenv.MySQL(t)
	one, two := start(t, homeEnv(home), options{}), start(t, homeEnv(home), options{})
	script(t, nil, "two-instances.mjs", one.URL, two.URL)
	script(t, nil, "two-instances.mjs", two.URL, one.URL)
}

// TestPage drives the page in a headless browser, at desktop and phone width. PAYDESK_SCREENSHOTS keeps the pictures:
//
//	PAYDESK_SCREENSHOTS=/tmp/shots go test ./e2e -run TestPage
func TestPage(t *testing.T) {
	needNode(t)
	folder := os.Getenv("PAYDESK_SCREENSHOTS")
	if folder == "" {
		folder = t.TempDir()
	}
	chromium := testenv.Chromium(t)
	s := start(t, nil, options{})
	script(t, []string{"CHROMIUM=" + chromium}, "page.mjs", s.URL, folder)
	shots, err := filepath.Glob(filepath.Join(folder, "*.png"))
	if err != nil || len(shots) < 10 {
		t.Errorf("%d screenshots, %v", len(shots), err)
	}
	for _, want := range []string{"desktop-home.png", "desktop-succeeded.png", "phone-home.png"} {
		if !slices.ContainsFunc(shots, func(path string) bool { return filepath.Base(path) == want }) {
			t.Errorf("no screenshot %s", want)
		}
	}
}
