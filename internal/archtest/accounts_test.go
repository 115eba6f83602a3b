package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"paydesk/internal/platform/testenv"
)

// anyAccount are the functions whose statements read or change rows of accounts without naming the account, each with its
// reason. Whoever adds one has to say why nobody can reach another's rows by it.
var anyAccount = map[string]string{
	"order.ByIDsAnywhere":        "for OPERATOR and SERVICE, who reach any account (contract §3); resolvers ask it for no other role",
	"order.ByNumberAnywhere":     "the same",
	"order.Count":                "its condition is where's, which begins with the account",
	"order.statement":            "its condition is where's, which begins with the account",
	"order.whichNumber":          "numbers are unique in the installation: SERVICE is told which of its own is taken, and nothing else",
	"order.due":                  "work that time brings is of all accounts",
	"order.expire":               "of the ids that due has found; nothing goes out",
	"benefit.ByIDsAnywhere":      "for OPERATOR and SERVICE, who reach any account (contract §3); resolvers ask it for no other role",
	"benefit.DiscountsAnywhere":  "the same",
	"benefit.Count":              "its condition is condition's, which begins with the account",
	"benefit.List":               "its condition is condition's, which begins with the account",
	"ledger.LineAnywhere":        "for OPERATOR and SERVICE, who reach any account (contract §3); resolvers ask it for no other role",
	"payment.ByIDAnywhere":       "for OPERATOR and SERVICE, who reach any account (contract §3); resolvers ask it for no other role",
	"payment.ByIDsAnywhere":      "the same",
	"payment.ByNumbersAnywhere":  "the same",
	"payment.byNumber":           "a channel knows our number alone, and has signed it; the account is what comes out",
	"payment.byNumberAnywhere":   "a payer who comes back from a channel brings the number alone; what comes out is where the client wanted the browser",
	"payment.Action":             "the QR picture: its link is signed, and good for ten minutes",
	"payment.Count":              "its conditions are those of lists, which begin with the account or the partner",
	"payment.List":               "its conditions are those of lists, which begin with the account or the partner",
	"payment.asked":              "of the partner that was asked, by partner_id (contract §3)",
	"payment.Sweep":              "work that time brings is of all accounts",
	"payment.Lag":                "a figure of the whole house",
	"reconcile.refundNumbers":    "of the ids in postings of that book",
	"reconcile.owners":           "a channel's statement knows our numbers alone; the account is what comes out",
	"reconcile.payments":         "the same",
	"reconcile.ofRefunds":        "the payments of refunds that were found by their numbers",
	"reconcile.suspended":        "of payments that were found by their numbers",
	"reconcile.differences":      "a channel's day is of all accounts; only operators are shown it (contract §3)",
	"reconcile.finish":           "the same",
	"reconcile.write":            "of the day's differences, by their ids",
	"reconcile.report":           "for OPERATOR: a channel's day",
	"reconcile.recent":           "work that time brings is of all accounts",
	"reconcile.undecided":        "the same",
	"reconcile.first":            "when money first came through a channel",
	"reconcile.moved":            "whether money came through a channel on a day",
	"reconcile.Resolve":          "for OPERATOR: a difference by its id",
	"reconcile.byID":             "the same",
	"reconcile.DifferencesByIDs": "for OPERATOR; the node's reader looks at the role",
	"reconcile.Waiting":          "a figure for OPERATOR",
	"refund.ByIDAnywhere":        "for OPERATOR and SERVICE, who reach any account (contract §3); resolvers ask it for no other role",
	"refund.ByIDsAnywhere":       "the same",
	"refund.byNumber":            "a channel knows our number alone, and has signed it; the account is what comes out",
	"refund.Sweep":               "work that time brings is of all accounts",
	"refund.Lag":                 "a figure of the whole house",
	"outbox.Sweep":               "what is to be told is of all accounts, and told by topic",
	"outbox.tell":                "of the ids that Sweep has found",
	"blob.over":                  "work that time brings is of all accounts; it deletes with the account named",
	"outbox.Lag":                 "a figure of the whole house",
	"notify.Lag":                 "a figure of the whole house",
	"suspense.List":              "for OPERATOR: what no rule could place, whosever it is",
	"suspense.ByIDs":             "the same; the node's reader looks at the role",
	"webhook.Count":              "of the inbox, which is nobody's",
	"webhook.ByIDs":              "the same",
}

// businessCode is where rows of accounts are read and changed; the audit reads them all on purpose.
var businessCode = []string{"../billing/account", "../billing/benefit", "../billing/ledger", "../billing/order", "../billing/payment", "../billing/paymentrequest", "../billing/reconcile", "../billing/refund", "../billing/suspense", "../billing/verification", "../webhook", "../sweep", "../platform/idempotency",
	"../platform/blob", "../platform/notify", "../platform/outbox", "../platform/qr", "../../resolvers"}

// anywhere are the functions that read what belongs to any account, and who may call them: nobody else in resolvers.
var anywhere = regexp.MustCompile(`\.(ByIDsAnywhere|DiscountsAnywhere|ByIDAnywhere|ByNumberAnywhere|ByNumbersAnywhere|LineAnywhere)\b`)

// TestOnlyStaffReachesAnyAccount: a resolver that reads anything of any account has looked at the role before, in the same function.
func TestOnlyStaffReachesAnyAccount(t *testing.T) {
	paths, err := filepath.Glob("../../resolvers/*.go")
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, function := range strings.Split(string(text), "\nfunc ") {
			calls += len(anywhere.FindAllString(function, -1))
			if anywhere.MatchString(function) && !strings.Contains(function, "Role.AnyAccount()") {
				name, _, _ := strings.Cut(function, "{")
				t.Errorf("%s: %s: reads what belongs to any account without a look at the role", path, name)
			}
		}
	}
	if calls == 0 {
		t.Error("no such call was seen")
	}
}

// TestEveryStatementNamesTheAccount looks at every text of SQL in the code (design.md §4): one that reads or changes a table with
// an account_id has it in its condition, in the text itself or by a function that begins with it.
func TestEveryStatementNamesTheAccount(t *testing.T) {
	tenant := map[string]bool{}
	for name, table := range readSQLite(t, testenv.Embedded(t).DB) {
		if _, has := table.columns["account_id"]; has {
			tenant[name] = true
		}
	}
	if len(tenant) < 8 {
		t.Fatal("only", len(tenant), "tables have an account")
	}
	used, seen := map[string]bool{}, 0
	for _, dir := range businessCode {
		for where, texts := range statements(t, dir) {
			for _, text := range texts {
				seen++
				if namesAccount(text, tenant) {
					continue
				}
				if anyAccount[where] == "" {
					t.Errorf("%s: no account_id in the condition of\n  %s\nname it, or say in anyAccount why not", where, text)
				}
				used[where] = true
			}
		}
	}
	for where := range anyAccount {
		if !used[where] {
			t.Errorf("%s is excepted and has no such statement", where)
		}
	}
	if seen < 30 {
		t.Error("only", seen, "statements were seen")
	}
}

var (
	tables    = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|UPDATE)\s+([a-z_]+)`)
	verbs     = regexp.MustCompile(`(?i)\b(SELECT|UPDATE|DELETE)\b`)
	condition = regexp.MustCompile(`(?is)\b(?:WHERE|ON)\b.*\baccount_id\s*(?:=|IN\b)`)
)

// namesAccount reports whether a text is no statement on rows of accounts, or has the account in its condition.
func namesAccount(text string, tenant map[string]bool) bool {
	touches := false
	for _, m := range tables.FindAllStringSubmatch(text, -1) {
		touches = touches || tenant[strings.ToLower(m[1])]
	}
	return !touches || condition.MatchString(text)
}

// statements are the texts of SQL in a package by function, "package.Function": literals and constants joined, and what is not
// known before it runs as "…". A condition of gorm's, Where("…"), counts as one on a table of accounts.
func statements(t *testing.T, dir string) map[string][]string {
	t.Helper()
	files := parse(t, dir)
	consts, out := constants(files), map[string][]string{}
	for _, file := range files {
		for _, d := range file.Decls {
			name := filepath.Base(dir) + "." + declared(d)
			ast.Inspect(d, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok && isWhere(call) {
					out[name] = append(out[name], "SELECT gorm FROM payments WHERE "+joined(call.Args[0], consts))
					return true
				}
				e, ok := n.(ast.Expr)
				if !ok {
					return true
				}
				text := joined(e, consts)
				if !tables.MatchString(text) || !verbs.MatchString(text) {
					return true
				}
				out[name] = append(out[name], text)
				return false
			})
		}
	}
	return out
}

// parse reads the Go files of a folder, without its tests.
func parse(t *testing.T, dir string) (files []*ast.File) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatal(dir, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

func declared(d ast.Decl) string {
	switch d := d.(type) {
	case *ast.FuncDecl:
		return d.Name.Name
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				return v.Names[0].Name
			}
		}
	}
	return "?"
}

// constants are the package's texts by name.
func constants(files []*ast.File) map[string]ast.Expr {
	out := map[string]ast.Expr{}
	for _, file := range files {
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					for i, name := range v.Names {
						if i < len(v.Values) {
							out[name.Name] = v.Values[i]
						}
					}
				}
			}
		}
	}
	return out
}

func isWhere(call *ast.CallExpr) bool {
	s, ok := call.Fun.(*ast.SelectorExpr)
	return ok && s.Sel.Name == "Where" && len(call.Args) > 0
}

// joined is a text as far as it is known; "…" is what is not.
func joined(e ast.Expr, consts map[string]ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if text, err := strconv.Unquote(e.Value); err == nil && e.Kind == token.STRING {
			return text
		}
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return joined(e.X, consts) + joined(e.Y, consts)
		}
	case *ast.ParenExpr:
		return joined(e.X, consts)
	case *ast.Ident:
		if value, ok := consts[e.Name]; ok {
			return joined(value, nil)
		}
		return "…" + e.Name
	}
	return "…"
}

func TestStatementsWithoutTheAccountAreSeen(t *testing.T) {
	tenant := map[string]bool{"orders": true}
	for text, fine := range map[string]bool{
		"SELECT id FROM orders WHERE account_id = ? AND id = ?": true, "SELECT id FROM orders WHERE id = ?": false, "UPDATE orders SET account_id = ? WHERE id = ?": false,
		"SELECT account_id FROM orders WHERE id = ?": false, "SELECT id FROM settings WHERE name = ?": true, "DELETE FROM orders WHERE id = ?": false,
		"SELECT o.id FROM orders o WHERE o.account_id IN (?)": true, "SELECT id FROM settings s JOIN orders o ON o.id = s.id": false,
	} {
		if namesAccount(text, tenant) != fine {
			t.Errorf("%s: %v", text, !fine)
		}
	}
}
