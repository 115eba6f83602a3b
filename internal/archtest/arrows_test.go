package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "paydesk"

// arrow says what a package, and those below it where the path ends in "/...", may import of ours. The first arrow whose
// from matches counts; tests are free.
type arrow struct {
	from string
	to   []string
}

var (
	ground   = []string{"models", "internal/money"}
	platform = append([]string{"internal/platform/..."}, ground...)
	port     = "internal/channel" // how money comes in; the adapters lie below it
	business = append([]string{"internal/billing/...", port}, platform...)
)

// arrows is design.md §1: server → {resolvers, webhook, sweep, sandbox} → billing → {channel, platform} → {models, money}.
var arrows = []arrow{
	{"models", nil},
	{"migrations", nil},
	{"internal/money", nil},
	{"graph/model", ground},
	{"graph/print", []string{"graph"}},
	{"graph", []string{"graph/model"}},
	{"internal/platform/database", append([]string{"migrations"}, platform...)},
	{"internal/platform/...", platform},
	{"internal/channel", ground},
	{"internal/channel/...", append([]string{"internal/channel/..."}, platform...)},
	{"internal/billing/...", business},
	{"resolvers", append([]string{"graph", "graph/model"}, business...)},
	{"internal/webhook", business},
	{"internal/sweep", business},
	{"internal/sandbox", append([]string{port}, platform...)},                                     // the providers' side knows nothing of ours, and no adapter
	{"internal/fleet", append([]string{"internal/channel/...", "internal/sandbox"}, platform...)}, // every adapter, each for its mode
	{"internal/demo", business},
	{"internal/dev", business},
	{"documents/generate", []string{"graph", "internal/platform/persisted"}},
	{"documents", []string{"internal/platform/persisted"}}, // the registered operations
	{"console", nil},
	{"page", nil},
	{"", []string{"..."}}, // main alone knows everybody
	{"internal/archtest", platform},
	{"bench/limit", []string{"bench/...", "internal/money", "internal/platform/page", "models"}}, // hand-written: nothing of the product's paths
	{"bench/...", []string{"..."}},
	{"e2e/...", []string{"..."}},
}

// testOnly must not get into the product's binary.
var testOnly = []string{
	module + "/internal/platform/testenv/...", module + "/bench/...", module + "/e2e/...", module + "/internal/archtest",
	module + "/internal/channel/guard/guardtest", "github.com/tjfoc/...", "testing", "github.com/pingcap/...", "pgregory.net/...", "go.uber.org/goleak/...",
}

// nobodyImports: these stand at the top; whoever needs them is main, a test or a command.
var nobodyImports = []string{"resolvers", "internal/webhook", "internal/sweep", "internal/sandbox", "internal/demo", "internal/dev"}

// matches reports whether the path fits a pattern of the go command's form.
func matches(pattern, path string) bool {
	if pattern == "..." {
		return true
	}
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == below || strings.HasPrefix(path, below+"/")
	}
	return path == pattern
}

func anyMatches(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}

// judge is the arrow that a package's import breaks, empty where it is fine.
func judge(from, to string) string {
	at := slices.IndexFunc(arrows, func(a arrow) bool { return matches(a.from, from) })
	switch {
	case at < 0:
		return "has no arrow: give it one in internal/archtest"
	case !anyMatches(arrows[at].to, to):
		return "must not import " + to
	case from != "" && from != "internal/fleet" && !strings.HasPrefix(from, "bench") && !strings.HasPrefix(from, "e2e") && slices.Contains(nobodyImports, to):
		return "must not import the face " + to
	}
	return ""
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T, args ...string) []pkg {
	t.Helper()
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Imports"}, args...)...)
	cmd.Dir = "../.."
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, complaint.Bytes())
	}
	var all []pkg
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// relative is the path inside the module, "" for main; ok tells whether the package is ours.
func relative(path string) (rel string, ok bool) {
	if path == module {
		return "", true
	}
	return strings.CutPrefix(path, module+"/")
}

func TestArrows(t *testing.T) {
	all := list(t, "./...")
	if len(all) < 20 {
		t.Fatal("go list saw only", len(all), "packages")
	}
	for _, p := range all {
		from, _ := relative(p.ImportPath)
		for _, imported := range p.Imports {
			if to, ours := relative(imported); ours {
				if complaint := judge(from, to); complaint != "" {
					t.Errorf("%s %s", p.ImportPath, complaint)
				}
			}
		}
		if judge(from, "") == "has no arrow: give it one in internal/archtest" {
			t.Errorf("%s has no arrow: give it one in internal/archtest", p.ImportPath)
		}
	}
}

func TestTheBinaryHoldsNoTestCode(t *testing.T) {
	for _, p := range list(t, "-deps", ".") {
		if anyMatches(testOnly, p.ImportPath) {
			t.Errorf("%s is in the product's binary", p.ImportPath)
		}
	}
}

// The judge itself: what it must refuse, and what it must let pass.
func TestJudge(t *testing.T) {
	refused := [][2]string{
		{"models", "internal/money"}, {"internal/money", "models"}, {"graph", "models"}, {"graph", "resolvers"},
		{"internal/billing/payment", "resolvers"}, {"internal/billing/order", "internal/webhook"}, {"internal/billing/order", "internal/sandbox"},
		{"internal/billing/payment", "internal/channel/alipay"}, {"internal/sandbox", "internal/channel/alipay"},
		{"internal/platform/live", "internal/billing/payment"}, {"internal/channel/alipay", "internal/billing/payment"},
		{"resolvers", "internal/sandbox"}, {"internal/webhook", "resolvers"}, {"internal/webhook", "internal/channel/alipay"},
		{"resolvers", ""}, {"internal/brandnew", "models"}, {"bench/limit", "internal/platform/database"},
	}
	for _, c := range refused {
		if judge(c[0], c[1]) == "" {
			t.Errorf("%s → %s was let through", c[0], c[1])
		}
	}
	passed := [][2]string{
		{"", "internal/channel/alipay"}, {"", "resolvers"}, {"resolvers", "internal/billing/payment"}, {"graph", "graph/model"},
		{"internal/billing/payment", "internal/channel"}, {"internal/billing/payment", "internal/billing/ledger"},
		{"internal/sandbox", "internal/platform/clock"}, {"internal/platform/database", "migrations"},
	}
	for _, c := range passed {
		if complaint := judge(c[0], c[1]); complaint != "" {
			t.Errorf("%s %s", c[0], complaint)
		}
	}
}
