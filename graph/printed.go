package graph

import (
	"strings"

	"github.com/vektah/gqlparser/v2/formatter"
)

// Printed is the whole schema as one text, types in alphabetical order: what docs/schema.graphqls holds for clients and for review.
func Printed() string {
	var out strings.Builder
	formatter.NewFormatter(&out, formatter.WithIndent("  ")).FormatSchema(NewExecutableSchema(Config{}).Schema())
	return out.String()
}
