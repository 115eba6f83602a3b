package httpapi

import "github.com/vektah/gqlparser/v2/ast"

// maxComparisons of fields with each other that validation may need for one document. The rule "overlapping fields can be
// merged" compares every two fields of one response name within a set, sets beneath equal fields taken together, and begins
// anew for each inline fragment: 2,000 tokens can make it work for half a minute. Fifty fragments that ask for the same
// twenty fields in one place need half of these.
const maxComparisons = 50_000

// mergeable estimates the comparisons from above. The document has no cycles and its unfolding is bounded.
func (m *measure) mergeable() bool {
	left := maxComparisons
	for _, op := range m.doc.Operations {
		m.compared([]ast.SelectionSet{op.SelectionSet}, 1, &left)
		m.again(op.SelectionSet, 1, &left)
	}
	for _, f := range m.doc.Fragments {
		m.compared([]ast.SelectionSet{f.SelectionSet}, 1, &left)
		// Inline fragments of a fragment are walked from each operation and each fragment that reaches it.
		m.again(f.SelectionSet, len(m.doc.Operations)+len(m.doc.Fragments), &left)
	}
	return left >= 0
}

// again takes off what the inline fragments in a set need, each by itself; times is how often they are walked.
func (m *measure) again(selections ast.SelectionSet, times int, left *int) {
	for _, s := range selections {
		if *left < 0 {
			return
		}
		switch s := s.(type) {
		case *ast.Field:
			m.again(s.SelectionSet, times, left)
		case *ast.InlineFragment:
			m.compared([]ast.SelectionSet{s.SelectionSet}, times, left)
			m.again(s.SelectionSet, times, left)
		}
	}
}

// compared takes the pairs of equal response names off what is left, in the sets as if they were one, and beneath.
func (m *measure) compared(sets []ast.SelectionSet, times int, left *int) {
	g := &group{m: m, count: map[string]int{}, beneath: map[string][]ast.SelectionSet{}}
	for _, s := range sets {
		g.collect(s)
	}
	for _, n := range g.count {
		*left -= times * n * (n - 1) / 2
	}
	for _, below := range g.beneath {
		if *left < 0 {
			return
		}
		m.compared(below, times, left)
	}
}

// group are the fields of a set by response name, those of fragments included.
type group struct {
	m       *measure
	spread  map[string]bool // the rule does not compare a fragment with itself
	count   map[string]int
	beneath map[string][]ast.SelectionSet
}

func (g *group) collect(selections ast.SelectionSet) {
	for _, s := range selections {
		switch s := s.(type) {
		case *ast.Field:
			g.count[s.Alias]++
			if len(s.SelectionSet) > 0 {
				g.beneath[s.Alias] = append(g.beneath[s.Alias], s.SelectionSet)
			}
		case *ast.InlineFragment:
			g.collect(s.SelectionSet)
		case *ast.FragmentSpread:
			f := g.m.fragments[s.Name]
			if f == nil || g.spread[s.Name] {
				continue
			}
			if g.spread == nil {
				g.spread = map[string]bool{}
			}
			g.spread[s.Name] = true
			g.collect(f.SelectionSet)
		}
	}
}
