// Package resolvers is the GraphQL face: each resolver calls one service and maps its answer.
package resolvers

// Resolver hands the services to the resolvers.
type Resolver struct{}
