package httpapi

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/99designs/gqlgen/complexity"
	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// costLimit refuses an operation before it runs if it would cost more than the limit: fields, times the page size beneath lists.
// gqlgen's own limit walks the operation with every request, which is most of what an edge costs; here an operation that stays
// below the limit with the largest pages is known to after its first time.
type costLimit struct {
	limit  int
	schema graphql.ExecutableSchema
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = (*costLimit)(nil)

// ExtensionName names it among the executor's extensions.
func (*costLimit) ExtensionName() string { return "cost" }

// Validate takes the schema, which weighs fields.
func (c *costLimit) Validate(s graphql.ExecutableSchema) error {
	c.schema = s
	return nil
}

// MutateOperationContext changes nothing; it refuses.
func (c *costLimit) MutateOperationContext(ctx context.Context, op *graphql.OperationContext) *gqlerror.Error {
	p := preparedFrom(ctx)
	if p != nil && p.cheap.has(op.Operation) {
		return nil
	}
	if n := complexity.Calculate(ctx, c.schema, op.Operation, op.Variables); n > c.limit {
		return failure(codeTooComplex, fmt.Sprintf("the operation costs %d, more than %d: ask for smaller pages or fewer fields", n, c.limit))
	}
	if largest, ok := largestPages(op.Operation); ok && p != nil && complexity.Calculate(ctx, c.schema, op.Operation, largest) <= c.limit {
		p.cheap.add(op.Operation)
	}
	return nil
}

// largestPages are variables with which an operation costs the most: a cost grows with whole numbers (first, last) alone, and what
// is optional may be left out. ok is false where a list or what must be given could weigh as well.
func largestPages(op *ast.OperationDefinition) (variables map[string]any, ok bool) {
	variables = map[string]any{}
	for _, v := range op.VariableDefinitions {
		switch {
		case v.Type.NamedType == "Int":
			variables[v.Variable] = int64(math.MaxInt32)
		case v.Type.NamedType == "" || v.Type.NonNull:
			return nil, false
		}
	}
	return variables, true
}

// operations is a set that requests share: those of one document that are cheap whatever their variables.
type operations struct {
	mu   sync.RWMutex
	list []*ast.OperationDefinition // one or two
}

func (o *operations) has(op *ast.OperationDefinition) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	return slices.Contains(o.list, op)
}

func (o *operations) add(op *ast.OperationDefinition) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !slices.Contains(o.list, op) {
		o.list = append(o.list, op)
	}
}
