package resolvers

import (
	"context"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
)

// selects reports whether the field that is being resolved selects a path below it, for example "nodes.payability". A
// parent asks it to fetch what its children will need.
func selects(ctx context.Context, path string) bool {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Field.Field == nil {
		return false
	}
	return below(graphql.GetOperationContext(ctx), fc.Field.Selections, path)
}

func below(oc *graphql.OperationContext, sel ast.SelectionSet, path string) bool {
	name, rest, more := strings.Cut(path, ".")
	for _, f := range graphql.CollectFields(oc, sel, nil) {
		if f.Name == name && (!more || below(oc, f.Selections, rest)) {
			return true
		}
	}
	return false
}

// selectsNode is selects for the elements of a connection, reached by nodes or by edges.
func selectsNode(ctx context.Context, path string) bool {
	return selects(ctx, "nodes."+path) || selects(ctx, "edges.node."+path)
}
