//go:build bare

package main

import (
	"paydesk/bench/bare"
	"paydesk/internal/platform/httpapi"
)

// newEdge is nothing but the executor: only the bench builds this, to tell what the edge costs.
func newEdge(o httpapi.Options) (*bare.Edge, error) { return bare.New(o) }
