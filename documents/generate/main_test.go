package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"paydesk/documents"
	"paydesk/graph"
)

const root = "../.."

// TestFresh: what is committed is what the sources give.
func TestFresh(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 {
		t.Fatalf("%d files", len(files))
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is stale (make generate), %v", name, err)
		}
	}
}

// TestRegisteredAreValid: each registered text alone, as it is sent, is valid against the schema.
func TestRegisteredAreValid(t *testing.T) {
	schema := graph.NewExecutableSchema(graph.Config{}).Schema()
	all := documents.Manifest().Operations
	if texts := documents.Registered(); len(all) < 20 || len(texts) != len(all) {
		t.Fatalf("%d operations, %d texts", len(all), len(texts))
	}
	for _, o := range all {
		doc, errs := gqlparser.LoadQueryWithRules(schema, o.Body, rules.NewDefaultRules())
		if len(errs) > 0 {
			t.Errorf("%s: %v", o.Name, errs)
			continue
		}
		if op := doc.Operations.ForName(o.Name); len(doc.Operations) != 1 || op == nil || string(op.Operation) != o.Type {
			t.Errorf("%s: is not the one %s of its document", o.Name, o.Type)
		}
	}
}

func TestWrongSources(t *testing.T) {
	for text, want := range map[string]string{
		"{ __typename }":                           "has no name",
		"query A { nothing }":                      "Cannot query field",
		"query A { ...B }":                         "Unknown fragment",
		"query A { __typename } fragment B on X {": "Expected",
	} {
		file := filepath.Join(t.TempDir(), "x.graphql")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := collect(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestModule(t *testing.T) {
	o := documents.Manifest().Operations[0]
	o.Name, o.Body = "TopUpOptions", "a`b\\c${d}"
	if got := string(module("x", append(documents.Manifest().Operations[:0], o))); !strings.HasSuffix(got, "\nexport const TOP_UP_OPTIONS = `a\\`b\\\\c\\${d}`;\n") {
		t.Error(got)
	}
}
