package persisted

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	one, two := NewOperation("A", "query", "query A { a }"), NewOperation("B", "query", "query B { b }")
	apollo := fmt.Sprintf(`{"format":%q,"version":1,"operations":[{"id":%q,"name":"A","type":"query","body":%q},{"id":%q,"body":%q}]}`,
		Format, one.ID, one.Body, two.ID, two.Body)
	plain := fmt.Sprintf(`{%q:%q,"sha256:%s":%q}`, one.ID, one.Body, strings.ToUpper(two.ID), two.Body)
	for _, text := range []string{apollo, plain} {
		got, err := Parse([]byte(text))
		if err != nil || len(got) != 2 || got[one.ID] != one.Body || got[two.ID] != two.Body {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		``:                                       "not a JSON object",
		`[]`:                                     "not a JSON object",
		`{`:                                      "not a JSON object",
		`{}{}`:                                   "something follows",
		`{} x`:                                   "something follows",
		`{"abc": 1}`:                             `"abc" is not a text`,
		`{"abc": "{ a }"}`:                       `"abc" is not the SHA-256 of its text`,
		fmt.Sprintf(`{%q:%q}`, one.ID, two.Body): "is not the SHA-256",
		`{"operations":[]}`:                      "format is",
		fmt.Sprintf(`{"format":%q,"version":2,"operations":[]}`, Format): "version 2",
		fmt.Sprintf(`{"format":%q,"version":1,"operations":{}}`, Format): "not a manifest",
		strings.Replace(apollo, one.ID, two.ID, 1):                       `operation "A"`,
	} {
		if got, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) || got != nil {
			t.Errorf("%s: %v, %v; want %q", text, got, err, want)
		}
	}
}

func TestReadFile(t *testing.T) {
	if got, err := ReadFile(""); got != nil || err != nil {
		t.Error(got, err)
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error without a file")
	}
	o := NewOperation("A", "query", "query A { a }")
	path := filepath.Join(t.TempDir(), "documents.json")
	if err := os.WriteFile(path, fmt.Appendf(nil, `{%q:%q}`, o.ID, o.Body), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadFile(path)
	if err != nil || got[o.ID] != o.Body {
		t.Error(got, err)
	}
	if all := got.Merge(Documents{"x": "y"}); len(all) != 2 || all["x"] != "y" || len(got) != 1 {
		t.Error(all, got)
	}
}
