// Package resolvers is the GraphQL face: who may ask is settled before a resolver runs (guard.go), a resolver calls one service
// and maps its answer (mapping_*.go), and what a service refuses becomes payload errors or a masked top-level error (presenter.go).
package resolvers

import (
	"github.com/99designs/gqlgen/graphql"

	"paydesk/graph"
)

// Resolver answers every field that is not read from a struct. Make it with New.
type Resolver struct {
	s     Services
	rules map[string]rule
	// Plain leaves every object to gqlgen's executor: for comparing what plans write. Set it before the first request.
	Plain bool
}

// New makes the resolvers on their services.
func New(s Services) *Resolver {
	r := &Resolver{s: s}
	r.rules = rulesOf(r.Schema().Schema())
	return r
}

// Schema is the executable schema: hand it to gqlgen's executor together with Extension, Present and Recover.
func (r *Resolver) Schema() graphql.ExecutableSchema {
	return graph.NewExecutableSchema(graph.Config{
		Resolvers:  r,
		Directives: graph.DirectiveRoot{HasRole: hasRole, Idempotent: idempotent},
		Complexity: complexities(),
	})
}
