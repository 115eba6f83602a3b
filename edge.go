//go:build !bare

package main

import "paydesk/internal/platform/httpapi"

// newEdge is what stands between the network and the faces.
func newEdge(o httpapi.Options) (*httpapi.API, error) { return httpapi.New(o) }
