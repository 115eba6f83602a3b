package policy

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

//go:embed profiles/*.yaml
var profiles embed.FS

// Profiles are the names of the built-in profiles.
var Profiles = []string{"default", "pingan", "tencent", "alibaba-intl", "huawei"}

// Load reads a profile: the name of a built-in one or the path of a YAML file. A profile that extends a built-in one starts
// from its values: lists are replaced whole, mappings key by key. Errors name file, line and key, one fault a line.
func Load(nameOrPath string) (*Policy, error) {
	source, err := read(nameOrPath)
	if err != nil {
		return nil, err
	}
	return parse(nameOrPath, source, 0)
}

func read(nameOrPath string) ([]byte, error) {
	if source, err := profiles.ReadFile("profiles/" + nameOrPath + ".yaml"); err == nil {
		return source, nil
	}
	if !strings.ContainsAny(nameOrPath, `/\.`) {
		return nil, fmt.Errorf("policy %q: no such profile; what fits: %s, or the path of a YAML file", nameOrPath, strings.Join(Profiles, ", "))
	}
	source, err := os.ReadFile(nameOrPath)
	if err != nil {
		return nil, fmt.Errorf("policy %q: %w", nameOrPath, err)
	}
	return source, nil
}

func parse(name string, source []byte, depth int) (*Policy, error) {
	var document yaml.Node
	if err := yaml.Unmarshal(source, &document); err != nil {
		return nil, explain(name, nil, err)
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil, fmt.Errorf("policy %s: line 1: a profile is a mapping of keys", name)
	}
	root := document.Content[0]
	p, err := base(name, root, depth)
	if err != nil {
		return nil, err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	decoder.KnownFields(true)
	if err := decoder.Decode(p); err != nil && !errors.Is(err, io.EOF) {
		return nil, explain(name, root, err)
	}
	if problems := p.validate(); len(problems) > 0 {
		return nil, report(name, root, problems)
	}
	return p, nil
}

// base is what a profile starts from: the one it extends, or nothing.
func base(name string, root *yaml.Node, depth int) (*Policy, error) {
	parent := child(root, "extends")
	if parent == nil {
		return &Policy{}, nil
	}
	source, err := profiles.ReadFile("profiles/" + parent.Value + ".yaml")
	if err != nil || depth > 2 {
		return nil, fmt.Errorf("policy %s: line %d, extends: %q is not a built-in profile; what fits: %s", name, parent.Line, parent.Value, strings.Join(Profiles, ", "))
	}
	return parse(parent.Value, source, depth+1)
}

var (
	lineOf    = regexp.MustCompile(`^(?:yaml: )?line (\d+): (.*)$`)
	unknown   = regexp.MustCompile(`^field (\S+) not found in type \S+$`)
	duplicate = regexp.MustCompile(`^mapping key "?([^"]+)"? already defined at line (\d+)$`)
	misfit    = regexp.MustCompile("^cannot unmarshal !!(\\w+)(?: `(.*)`)? into (\\S+)$")
)

// explain puts errors of reading into words, with line and key. root is nil where the text is no YAML at all.
func explain(name string, root *yaml.Node, err error) error {
	var own *misplaced
	if errors.As(err, &own) {
		key := find(root, func(n *yaml.Node) bool { return n.Line == own.line && n.Column == own.column })
		return fmt.Errorf("policy %s: line %d, %s: %s", name, own.line, key, own.text)
	}
	var typed *yaml.TypeError
	lines := []string{err.Error()}
	if errors.As(err, &typed) {
		lines = typed.Errors
	}
	for i, text := range lines {
		if m := lineOf.FindStringSubmatch(text); m != nil {
			lines[i] = translate(root, m[1], m[2])
		}
	}
	return fmt.Errorf("policy %s: %s", name, strings.Join(lines, "\n"))
}

// translate turns the YAML library's words about Go types into words about the profile.
func translate(root *yaml.Node, line, text string) string {
	number, _ := strconv.Atoi(line)
	key := func(tag, value string) string {
		start, cut := strings.CutSuffix(value, "...") // the library shortens long values
		path := find(root, func(n *yaml.Node) bool {
			same := n.Value == value || (cut && strings.HasPrefix(n.Value, start))
			return n.Line == number && same && (tag == "" || n.Tag == "!!"+tag)
		})
		return "line " + line + ", " + path + ": "
	}
	if m := unknown.FindStringSubmatch(text); m != nil {
		return key("", m[1]) + "no key of a profile is called " + m[1]
	}
	if m := duplicate.FindStringSubmatch(text); m != nil {
		return key("", m[1]) + "the key " + m[1] + " stands twice, first at line " + m[2]
	}
	if m := misfit.FindStringSubmatch(text); m != nil {
		what := kinds[m[1]]
		if m[2] != "" {
			what += fmt.Sprintf(" %q", m[2])
		}
		return key(m[1], m[2]) + what + " does not fit here, " + needed(m[3]) + " is needed"
	}
	return "line " + line + ": " + text
}

var kinds = map[string]string{"map": "a mapping", "seq": "a list", "str": "the text", "int": "the number", "float": "the number", "bool": "the value", "null": "nothing"}

func needed(goType string) string {
	switch {
	case goType == "int":
		return "a whole number"
	case goType == "bool":
		return "true or false"
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "map["), strings.HasPrefix(goType, "policy."):
		return "a mapping"
	}
	return "a text"
}

// problem is a value that is well-formed and yet wrong; path leads to it.
type problem struct {
	path []any
	text string
}

func report(name string, root *yaml.Node, problems []problem) error {
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = fmt.Sprintf("line %d, %s: %s", lineFor(root, p.path), pathText(p.path), p.text)
	}
	return fmt.Errorf("policy %s: %s", name, strings.Join(lines, "\n"))
}
