package archtest

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	gql "github.com/vektah/gqlparser/v2/ast"
)

// ruled are the rules that docs/rules.md has to have a row for.
func ruled() (out []string) {
	for n := 1; n <= 36; n++ {
		out = append(out, fmt.Sprint("HW-", n))
	}
	for n := 1; n <= 25; n++ {
		out = append(out, fmt.Sprint("HW-R", n))
	}
	for n := 9; n <= 18; n++ {
		out = append(out, fmt.Sprint("PA-", n))
	}
	for n := 5; n <= 11; n++ {
		out = append(out, fmt.Sprint("TX-", n))
	}
	for _, n := range []int{1, 3, 4, 5, 6, 7, 11, 20, 25} {
		out = append(out, fmt.Sprint("lesson ", n))
	}
	return append(out, "PA-2", "TX-1", "TX-2", "TX-14", "TX-22", "TX-R1", "TX-R2", "TX-R3", "C7", "D1", "D2", "D3", "D4", "D9", "D10", "lesson 2", "lesson 8", "lesson 9", "lesson 14", "lesson 15", "lesson 18")
}

var (
	ruleRow  = regexp.MustCompile(`(?m)^\| ((?:HW|TX|PA|C|D|lesson )[-R0-9]+) \| (.+) \|$`)
	ruleTest = regexp.MustCompile("`([a-z0-9_/]+_test\\.go):(Test\\w+)`")
)

// Every rule has a row; every test a row names exists, one of them says that it is about the rule, and one runs on both homes.
func TestRulesHaveTheirTests(t *testing.T) {
	docs, err := os.ReadFile("../../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	_, notHere, _ := strings.Cut(string(docs), "## Not here")
	rows, packages := map[string]bool{}, map[string]*suite{}
	for _, m := range ruleRow.FindAllStringSubmatch(string(docs), -1) {
		rule, text := m[1], m[2]
		if rows[rule] {
			t.Errorf("%s has two rows", rule)
		}
		rows[rule] = true
		named := ruleTest.FindAllStringSubmatch(text, -1)
		if len(named) == 0 {
			if !strings.Contains(notHere, "| "+rule+" |") {
				t.Errorf("%s names no test", rule)
			}
			continue
		}
		spoken := regexp.MustCompile(`(?i)\b` + rule + `\b`)
		says, both := false, strings.Contains(text, "*values*") || strings.Contains(text, "*arithmetic*")
		for _, n := range named {
			dir := filepath.Dir(n[1])
			if packages[dir] == nil {
				packages[dir] = readSuite(t, "../../"+dir)
			}
			if packages[dir].file[n[2]] != filepath.Base(n[1]) {
				t.Errorf("%s: there is no %s in %s", rule, n[2], n[1])
			}
			says = says || spoken.MatchString(packages[dir].text[n[2]])
			both = both || packages[dir].everywhere(n[2], nil)
		}
		if !says {
			t.Errorf("%s: none of its tests says that it is about it", rule)
		}
		if !both {
			t.Errorf("%s: none of its tests runs on both homes", rule)
		}
	}
	for _, rule := range ruled() {
		if !rows[rule] {
			t.Errorf("%s has no row", rule)
		}
	}
}

// suite is a package's tests: where each function stands, its text and comment, and whom it calls.
type suite struct {
	file  map[string]string
	text  map[string]string
	calls map[string][]string
}

func readSuite(t *testing.T, dir string) *suite {
	t.Helper()
	s := &suite{map[string]string{}, map[string]string{}, map[string][]string{}}
	paths, err := filepath.Glob(dir + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok {
				s.file[fn.Name.Name] = filepath.Base(path)
				s.text[fn.Name.Name] = fn.Doc.Text() + string(source[fn.Pos()-f.FileStart:fn.End()-f.FileStart])
				ast.Inspect(fn, func(n ast.Node) bool {
					if call, ok := n.(*ast.CallExpr); ok {
						s.calls[fn.Name.Name] = append(s.calls[fn.Name.Name], callee(call))
					}
					return true
				})
			}
		}
	}
	return s
}

// callee is the name of what is called, with its package where there is one.
func callee(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
	}
	return ""
}

// everywhere reports whether a function runs on both homes, itself or by a function of its package.
func (s *suite) everywhere(name string, seen []string) bool {
	if slices.Contains(seen, name) {
		return false
	}
	return slices.ContainsFunc(s.calls[name], func(called string) bool {
		return called == "testenv.Each" || called == "testenv.Homes" || s.file[called] != "" && s.everywhere(called, append(seen, name))
	})
}

// HW-R12: coupons pay orders alone. No input has them but those of quotes and payments of orders, and of the document that requests them.
func TestCouponsPayOrdersAlone(t *testing.T) {
	text, err := os.ReadFile("../../docs/schema.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	schema, err := gqlparser.LoadSchema(&gql.Source{Name: "schema.graphqls", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	var with []string
	for name, d := range schema.Types {
		if d.Kind == gql.InputObject && (d.Fields.ForName("couponIds") != nil || d.Fields.ForName("discountId") != nil) {
			with = append(with, name)
		}
	}
	slices.Sort(with)
	if want := []string{"CheckoutInput", "CreatePaymentRequestInput", "MergePayInput", "PayInput"}; !slices.Equal(with, want) {
		t.Errorf("coupons are taken by %v, not by %v alone", with, want)
	}
}
