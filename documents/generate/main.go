// Command generate collects the operations that are registered: go run ./documents/generate -root .
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"paydesk/graph"
	"paydesk/internal/platform/persisted"
)

// sources are the files that operations are written in, and the module, if any, that a browser reads them from. Fragments belong
// to their file; names of operations are unique in all.
var sources = []struct{ file, module string }{
	{"documents/operations.graphql", ""},
	{"page/operations.graphql", "page/static/operations.js"},
	{"e2e/operations.graphql", ""},
}

const manifest = "documents/manifest.json"

func main() {
	root := flag.String("root", ".", "the folder of the repository")
	flag.Parse()
	files, err := generate(*root)
	if err != nil {
		log.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(*root, name), text, 0o644); err != nil { //nolint:gosec // public texts
			log.Fatal(err)
		}
	}
}

// generate gives the files to write, by their paths in the repository.
func generate(root string) (map[string][]byte, error) {
	files := map[string][]byte{}
	all := persisted.Manifest{Format: persisted.Format, Version: persisted.Version}
	seen := map[string]string{}
	for _, s := range sources {
		operations, err := collect(filepath.Join(root, s.file))
		if err != nil {
			return nil, err
		}
		for _, o := range operations {
			if other := seen[o.Name]; other != "" {
				return nil, fmt.Errorf("%s: operation %s is in %s already", s.file, o.Name, other)
			}
			seen[o.Name] = s.file
		}
		all.Operations = append(all.Operations, operations...)
		if s.module != "" {
			files[s.module] = module(s.file, operations)
		}
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(all)
	files[manifest] = out.Bytes()
	return files, err
}

// collect reads the operations of a file, each as a document of its own with the fragments that it needs.
func collect(file string) ([]persisted.Operation, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	doc, errs := gqlparser.LoadQueryWithRules(graph.NewExecutableSchema(graph.Config{}).Schema(), string(text), rules.NewDefaultRules())
	if len(errs) > 0 {
		return nil, fmt.Errorf("%s: %w", file, errs)
	}
	operations := make([]persisted.Operation, len(doc.Operations))
	for i, op := range doc.Operations {
		if op.Name == "" {
			return nil, fmt.Errorf("%s: an operation has no name", file)
		}
		operations[i] = persisted.NewOperation(op.Name, string(op.Operation), print(op, doc.Fragments))
	}
	return operations, nil
}

func print(op *ast.OperationDefinition, fragments ast.FragmentDefinitionList) string {
	needed := map[string]bool{}
	spreads(op.SelectionSet, fragments, needed)
	alone := &ast.QueryDocument{Operations: ast.OperationList{op}}
	for _, f := range fragments {
		if needed[f.Name] {
			alone.Fragments = append(alone.Fragments, f)
		}
	}
	var out strings.Builder
	formatter.NewFormatter(&out, formatter.WithIndent("  ")).FormatQueryDocument(alone)
	return strings.TrimSpace(out.String())
}

// spreads notes the fragments that a selection reaches.
func spreads(set ast.SelectionSet, fragments ast.FragmentDefinitionList, into map[string]bool) {
	for _, s := range set {
		switch s := s.(type) {
		case *ast.Field:
			spreads(s.SelectionSet, fragments, into)
		case *ast.InlineFragment:
			spreads(s.SelectionSet, fragments, into)
		case *ast.FragmentSpread:
			if !into[s.Name] {
				into[s.Name] = true
				spreads(fragments.ForName(s.Name).SelectionSet, fragments, into)
			}
		}
	}
}

var wordStart = regexp.MustCompile(`([a-z])([A-Z])`)

// module is an ES module with a constant for each operation: TopUpOptions is TOP_UP_OPTIONS.
func module(from string, operations []persisted.Operation) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "// Made from %s by make generate; do not edit.\n", from)
	escape := strings.NewReplacer("\\", "\\\\", "`", "\\`", "${", "\\${")
	for _, o := range operations {
		name := strings.ToUpper(wordStart.ReplaceAllString(o.Name, "${1}_${2}"))
		fmt.Fprintf(&out, "\nexport const %s = `%s`;\n", name, escape.Replace(o.Body))
	}
	return out.Bytes()
}
