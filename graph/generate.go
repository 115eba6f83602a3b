// Package graph is what gqlgen makes of the schema: the executor that reads operations and calls resolvers. Generated, never edited.
package graph

//go:generate sh -c "cd .. && go tool gqlgen generate && go run ./graph/print -o docs/schema.graphqls"
