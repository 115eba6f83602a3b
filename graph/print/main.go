// Command print writes the whole schema to a file: go run ./graph/print -o docs/schema.graphqls.
package main

import (
	"flag"
	"log"
	"os"

	"paydesk/graph"
)

func main() {
	out := flag.String("o", "docs/schema.graphqls", "the file to write")
	flag.Parse()
	if err := os.WriteFile(*out, []byte(graph.Printed()), 0o644); err != nil { //nolint:gosec // a public text
		log.Fatal(err)
	}
}
