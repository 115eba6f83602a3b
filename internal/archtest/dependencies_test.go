package archtest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// listed finds the modules that docs/dependencies.md has a row for.
var listed = regexp.MustCompile("(?m)^\\| `([a-z0-9.]+\\.[a-z]+/[^`]+)` \\|")

// Every module has earned its line, and no line is left behind. The product's modules are told from those of the tests.
func TestEveryDependencyIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	product, tests, _ := strings.Cut(string(page), "\n## Tests alone\n")
	var described, inProduct []string
	for _, m := range listed.FindAllStringSubmatch(product, -1) {
		described, inProduct = append(described, m[1]), append(inProduct, m[1])
	}
	for _, m := range listed.FindAllStringSubmatch(tests, -1) {
		described = append(described, m[1])
	}
	imported := map[string]bool{}
	for _, p := range list(t, "-test", "./...") {
		for _, path := range p.Imports {
			if _, ours := relative(path); ours || !strings.Contains(strings.Split(path, "/")[0], ".") {
				continue
			}
			at := slices.IndexFunc(described, func(m string) bool { return matches(m+"/...", path) })
			if at < 0 {
				if from, ours := relative(strings.Fields(p.ImportPath)[0]); ours && !strings.HasSuffix(from, ".test") {
					t.Errorf("%s imports %s, which docs/dependencies.md does not describe", p.ImportPath, path)
				}
				continue
			}
			imported[described[at]] = true
		}
	}
	for _, m := range described {
		if !imported[m] {
			t.Errorf("docs/dependencies.md describes %s, which nobody imports", m)
		}
	}
	deps := list(t, "-deps", ".")
	for _, m := range inProduct {
		if !slices.ContainsFunc(deps, func(p pkg) bool { return matches(m+"/...", p.ImportPath) }) {
			t.Errorf("%s is not in the binary: it belongs under \"Tests alone\"", m)
		}
	}
}
