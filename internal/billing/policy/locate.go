package policy

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// child is the value of a mapping's key; nil where it is absent.
func child(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// lineFor is the line of the value at a path, or of the nearest thing above it that the file has: what is wrong may be inherited
// or missing.
func lineFor(root *yaml.Node, path []any) int {
	line := 1
	for n := root; n != nil && len(path) > 0; path = path[1:] {
		switch step := path[0].(type) {
		case string:
			n = child(n, step)
		case int:
			if n.Kind != yaml.SequenceNode || step >= len(n.Content) {
				return line
			}
			n = n.Content[step]
		}
		if n != nil {
			line = n.Line
		}
	}
	return line
}

// pathText writes a path as people read it: channels[2].limits.
func pathText(path []any) string {
	var b strings.Builder
	for _, step := range path {
		switch s := step.(type) {
		case int:
			fmt.Fprintf(&b, "[%d]", s)
		default:
			if b.Len() > 0 {
				b.WriteByte('.')
			}
			fmt.Fprint(&b, s)
		}
	}
	return b.String()
}

// find is the path of the first node that matches, keys of mappings included; empty where there is none.
func find(n *yaml.Node, match func(*yaml.Node) bool) string {
	path, _ := search(n, nil, match)
	return pathText(path)
}

func search(n *yaml.Node, path []any, match func(*yaml.Node) bool) ([]any, bool) {
	if match(n) {
		return path, true
	}
	for i, c := range n.Content {
		step := any(i)
		if n.Kind == yaml.MappingNode {
			step = n.Content[i-i%2].Value // a key and its value share the path
		}
		if found, ok := search(c, under(path, step), match); ok {
			return found, true
		}
	}
	return nil, false
}
