package httpapi

import (
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/lexer"
)

// cache keeps parsed documents by their text, the ones used last, bounded in number and in bytes: a short text may be a large
// tree, so that a bound in texts alone would let a flood of hostile documents take a hundred times their size.
type cache struct {
	mu    sync.Mutex
	kept  *simplelru.LRU[string, weighed]
	bytes int
	most  int
}

type weighed struct {
	doc   *prepared
	bytes int
}

// tokenBytes is about what a token becomes in a parsed document (measured: 190 for a field, 210 for an argument).
const tokenBytes = 220

// newCache keeps at most that many documents, of 32 KiB each on average.
func newCache(documents int) (c *cache, err error) {
	c = &cache{most: documents * cacheable}
	c.kept, err = simplelru.NewLRU(documents, func(_ string, w weighed) { c.bytes -= w.bytes })
	return c, err
}

func (c *cache) get(text string) *prepared {
	c.mu.Lock()
	defer c.mu.Unlock()
	w, _ := c.kept.Get(text)
	return w.doc
}

// add keeps a document, and forgets those that were used longest ago where it would be too much.
func (c *cache) add(p *prepared) {
	size := weigh(p.text)
	if size > c.most {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept.Contains(p.text) { // another request was quicker
		return
	}
	for c.bytes+size > c.most {
		c.kept.RemoveOldest()
	}
	c.kept.Add(p.text, weighed{p, size})
	c.bytes += size
}

// weigh estimates the bytes of a document with its text.
func weigh(text string) int {
	tokens := 0
	for l := lexer.New(&ast.Source{Input: text}); ; tokens++ {
		t, err := l.ReadToken()
		if err != nil { // it has been parsed: there is none
			return math.MaxInt
		}
		if t.Kind == lexer.EOF {
			return len(text) + tokens*tokenBytes
		}
	}
}
