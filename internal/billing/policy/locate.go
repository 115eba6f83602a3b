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

// keyAt is the path of the innermost key that begins at or before a place in the file.
func keyAt(root *yaml.Node, line, column int) string {
	var path []any
	for n := root; n != nil; {
		step, next := stepTo(n, line, column)
		if step == nil {
			break
		}
		path, n = append(path, step), next
	}
	return pathText(path)
}

// stepTo finds the last child that begins at or before the place.
func stepTo(n *yaml.Node, line, column int) (step any, next *yaml.Node) {
	before := func(c *yaml.Node) bool { return c.Line < line || (c.Line == line && c.Column <= column) }
	switch n.Kind {
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			if before(n.Content[i]) {
				step, next = n.Content[i].Value, n.Content[i+1]
			}
		}
	case yaml.SequenceNode:
		for i, item := range n.Content {
			if before(item) {
				step, next = i, item
			}
		}
	}
	return step, next
}
