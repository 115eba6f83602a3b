package policy

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

var (
	row     = regexp.MustCompile("(?m)^\\| `([a-z_.\\[\\]]+)` \\| [^|]+ \\| ?([^|]*?) \\| [^|]*\\|$")
	example = regexp.MustCompile("(?s)```yaml\n(.*?)```")
)

func readDocs(t *testing.T) string {
	t.Helper()
	docs, err := os.ReadFile("../../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(docs)
}

// docs/policy.md has a row for every key, none for anything else, and the defaults of the profile.
func TestDocsHaveEveryKey(t *testing.T) {
	want := keysOf(reflect.TypeFor[Policy](), "")
	var got []string
	profile := defaults(t)
	for _, m := range row.FindAllStringSubmatch(readDocs(t), -1) {
		got = append(got, m[1])
		if value, ok := scalar(profile, m[1]); ok && m[2] != "`"+value+"`" {
			t.Errorf("%s: the docs say %s, the profile %s", m[1], m[2], value)
		}
	}
	if !slices.Equal(got, want) {
		for _, key := range want {
			if !slices.Contains(got, key) {
				t.Errorf("docs/policy.md has no row for %s", key)
			}
		}
		for _, key := range got {
			if !slices.Contains(want, key) {
				t.Errorf("docs/policy.md has a row for %s, which is no key", key)
			}
		}
		if !t.Failed() {
			t.Error("the rows of docs/policy.md stand in another order than the keys")
		}
	}
}

// keysOf lists the keys of a struct as the docs write them; types that read themselves are one key.
func keysOf(typ reflect.Type, prefix string) []string {
	var out []string
	for i := range typ.NumField() {
		field := typ.Field(i)
		key, inner := prefix+field.Tag.Get("yaml"), field.Type
		switch {
		case !field.IsExported():
		case inner.Kind() == reflect.Slice && inner.Elem().Kind() == reflect.Struct:
			out = append(append(out, key), keysOf(inner.Elem(), key+"[].")...)
		case inner.Kind() == reflect.Struct && !reflect.PointerTo(inner).Implements(reflect.TypeFor[yaml.Unmarshaler]()):
			out = append(out, keysOf(inner, key+".")...)
		default:
			out = append(out, key)
		}
	}
	return out
}

func defaults(t *testing.T) *yaml.Node {
	t.Helper()
	source, err := profiles.ReadFile("profiles/default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		t.Fatal(err)
	}
	return document.Content[0]
}

// scalar is the default of a key that is a scalar or a list of scalars, outside lists.
func scalar(n *yaml.Node, key string) (string, bool) {
	for _, step := range strings.Split(key, ".") {
		if n = child(n, step); n == nil {
			return "", false
		}
	}
	var values []string
	for _, c := range n.Content {
		if n.Kind != yaml.SequenceNode || c.Kind != yaml.ScalarNode {
			return "", false
		}
		values = append(values, c.Value)
	}
	return n.Value + strings.Join(values, ", "), true
}

// The example of the docs is a profile that loads.
func TestDocsExampleLoads(t *testing.T) {
	found := example.FindStringSubmatch(readDocs(t))
	if found == nil {
		t.Fatal("docs/policy.md has no example")
	}
	path := filepath.Join(t.TempDir(), "example.yaml")
	if err := os.WriteFile(path, []byte(found[1]), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if p.Name != "example" || len(p.ChannelRules) != 2 || p.MergeMaximum() != 30 {
		t.Errorf("%+v", p)
	}
}
