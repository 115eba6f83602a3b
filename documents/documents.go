// Package documents holds the operations that are registered in every binary: those of our own page, those of the tests in e2e/,
// and a ping. Each has one source, a .graphql file beside who asks it; `make generate` writes from them the manifest here and the
// page's module.
package documents

import (
	_ "embed"
	"encoding/json"

	"paydesk/internal/platform/persisted"
)

//go:generate go run ./generate -root ..

//go:embed manifest.json
var manifest []byte

// Manifest lists the registered operations.
func Manifest() persisted.Manifest {
	var m persisted.Manifest
	if err := json.Unmarshal(manifest, &m); err != nil {
		panic(err) // it is in the binary, and tested
	}
	return m
}

// Registered are their texts by hash.
func Registered() persisted.Documents {
	all, err := persisted.Parse(manifest)
	if err != nil {
		panic(err)
	}
	return all
}
