package resolvers

import (
	"context"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"paydesk/graph/model"
	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/auth"
)

// rule says who may use a root field.
type rule struct {
	roles    []auth.Role // any of them; none: see anybody
	anybody  bool        // every signed-in role; otherwise customers alone
	required bool        // the field's type is non-null
}

// forEverybody are the root fields that are not about "my" account: every signed-in role has them (contract §3).
var forEverybody = []string{"viewer", "now", "node", "nodes", "payment", "paymentStatus"}

// rulesOf reads the schema's @hasRole once, so that a request costs a map lookup.
func rulesOf(s *ast.Schema) map[string]rule {
	rules := map[string]rule{}
	for _, root := range []*ast.Definition{s.Query, s.Mutation, s.Subscription} {
		for _, f := range root.Fields {
			if strings.HasPrefix(f.Name, "__") {
				continue
			}
			n := rule{anybody: slices.Contains(forEverybody, f.Name), required: f.Type.NonNull}
			if d := f.Directives.ForName("hasRole"); d != nil {
				for _, v := range d.Arguments.ForName("anyOf").Value.Children {
					n.roles = append(n.roles, auth.Role(v.Value.Raw))
				}
			}
			rules[root.Name+"."+f.Name] = n
		}
	}
	return rules
}

// permit is the one place where roles are judged (TX-3, PA-5). Errors: fault.ErrUnauthenticated, fault.ErrForbidden.
func (n rule) permit(v *auth.Viewer) error {
	switch {
	case v == nil:
		return fault.ErrUnauthenticated
	case len(n.roles) > 0 && !slices.Contains(n.roles, v.Role):
		return fault.ErrForbidden
	case len(n.roles) == 0 && !n.anybody && v.Role.AnyAccount():
		return fault.ErrForbidden
	}
	return nil
}

// hasRole is the schema's directive. The guard has judged already, before the arguments were read; this holds the line should
// the directive ever stand on a field that is not a root field.
func hasRole(ctx context.Context, _ any, next graphql.Resolver, anyOf []model.Role) (any, error) {
	n := rule{roles: make([]auth.Role, len(anyOf))}
	for i, r := range anyOf {
		n.roles[i] = auth.Role(r)
	}
	if err := n.permit(auth.From(ctx)); err != nil {
		return nil, err
	}
	return next(ctx)
}

// guardRoot refuses a root field before its arguments are read. Non-null fields are left to guardField, whose null goes up.
func (r *Resolver) guardRoot(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
	root := graphql.GetRootFieldContext(ctx)
	if n, ok := r.rules[root.Field.ObjectDefinition.Name+"."+root.Field.Name]; ok && !n.required {
		if err := n.permit(auth.From(ctx)); err != nil {
			fc := &graphql.FieldContext{Object: root.Field.ObjectDefinition.Name, Field: root.Field}
			ctx = graphql.WithFieldContext(ctx, fc)
			graphql.AddError(ctx, graphql.AddFieldLocationToError(ctx, err))
			return graphql.Null
		}
	}
	return next(ctx)
}

// guardField judges root fields again: subscriptions and non-null fields have no other place.
func (r *Resolver) guardField(ctx context.Context, fc *graphql.FieldContext) error {
	n, ok := r.rules[fc.Object+"."+fc.Field.Name]
	if !ok {
		return nil
	}
	return n.permit(auth.From(ctx))
}
