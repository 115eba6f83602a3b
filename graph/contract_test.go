package graph

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// later are the contract's root fields that are absent until they work. The issue that builds one takes it off this list.
var later = map[string][]string{
	"Query": {
		"paymentMethods", "bindingOptions", "remittances", "bills",
		"withdrawalOptions", "withdrawals", "bankCredits", "remittanceQueue", "withdrawalQueue", "identityQueue",
	},
	"Mutation": {
		"redeemTopUpCode", "submitRemittance", "cancelRemittance", "payBills",
		"withdraw", "bindCard", "bindPayPal", "setPreferredPaymentMethod", "removePaymentMethod",
		"submitIdentityDocuments",
		"recordUsage", "issueBills", "importBankStatement", "claimBankCredit", "reviewRemittance",
		"issueTopUpCodes", "reviewIdentity", "reviewWithdrawal", "reportWithdrawal",
	},
	"Subscription": {"paymentMethodStatus", "remittanceStatus"},
}

func contract(t *testing.T) *ast.Schema {
	t.Helper()
	text, err := os.ReadFile("testdata/contract.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	s, err := gqlparser.LoadSchema(&ast.Source{Name: "contract.graphqls", Input: string(text)})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What is served is what the contract says, type by type; only root fields may be missing, and those are listed.
func TestServedSchemaAgreesWithContract(t *testing.T) {
	s, c := served(t), contract(t)
	for _, name := range []string{"hasRole", "idempotent"} {
		compareArguments(t, "@"+name, s.Directives[name].Arguments, c.Directives[name].Arguments)
	}
	own(s, func(d *ast.Definition) {
		if want := c.Types[d.Name]; want != nil {
			compareDefinition(t, d, want)
		}
	})
	for root, fields := range later {
		for _, f := range fields {
			if c.Types[root].Fields.ForName(f) == nil {
				t.Errorf("later: the contract has no %s.%s", root, f)
			}
			if s.Types[root].Fields.ForName(f) != nil {
				t.Errorf("later: %s.%s is served already, take it off the list", root, f)
			}
		}
	}
}

func compareDefinition(t *testing.T, got, want *ast.Definition) {
	t.Helper()
	if got.Kind != want.Kind {
		t.Errorf("%s is a %s, not a %s", got.Name, want.Kind, got.Kind)
	}
	for _, i := range want.Interfaces {
		if !slices.Contains(got.Interfaces, i) {
			t.Errorf("%s implements %s", got.Name, i)
		}
	}
	for _, m := range want.Types {
		if !slices.Contains(got.Types, m) {
			t.Errorf("%s has the member %s", got.Name, m)
		}
	}
	for _, v := range want.EnumValues {
		if got.EnumValues.ForName(v.Name) == nil {
			t.Errorf("%s has the value %s", got.Name, v.Name)
		}
	}
	for _, f := range want.Fields {
		compareField(t, got, f)
	}
}

func compareField(t *testing.T, d *ast.Definition, want *ast.FieldDefinition) {
	t.Helper()
	if strings.HasPrefix(want.Name, "__") || slices.Contains(later[d.Name], want.Name) {
		return
	}
	path, got := d.Name+"."+want.Name, d.Fields.ForName(want.Name)
	if got == nil {
		t.Errorf("%s is missing", path)
		return
	}
	if got.Type.String() != want.Type.String() {
		t.Errorf("%s is %s, not %s", path, want.Type, got.Type)
	}
	compareArguments(t, path, got.Arguments, want.Arguments)
	if g, w := directives(got), directives(want); g != w {
		t.Errorf("%s: directives %q, not %q", path, w, g)
	}
}

func compareArguments(t *testing.T, path string, got, want ast.ArgumentDefinitionList) {
	t.Helper()
	for _, a := range want {
		if g := got.ForName(a.Name); g == nil || g.Type.String() != a.Type.String() {
			t.Errorf("%s takes %s: %s", path, a.Name, a.Type)
		}
	}
	for _, a := range got {
		if want.ForName(a.Name) == nil && a.Type.NonNull {
			t.Errorf("%s: an argument of ours, %s, is optional", path, a.Name)
		}
	}
}

// directives writes them in their order, which decides who is asked first.
func directives(f *ast.FieldDefinition) string {
	var out []string
	for _, d := range f.Directives {
		text := "@" + d.Name
		for _, a := range d.Arguments {
			text += "(" + a.Name + ": " + a.Value.String() + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}
