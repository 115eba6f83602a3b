package graph_test

import (
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"paydesk/graph"
	"paydesk/graph/model"
)

// A custom scalar without a judge would be executed whatever it holds.
func TestEveryScalarIsJudged(t *testing.T) {
	judges := model.Scalars()
	custom := 0
	for name, def := range graph.NewExecutableSchema(graph.Config{}).Schema().Types {
		if def.Kind != ast.Scalar || def.BuiltIn {
			continue
		}
		custom++
		if judges[name] == nil {
			t.Error(name, "has no judge in model.Scalars")
		} else if judges[name](struct{}{}) == nil {
			t.Error(name, "takes anything")
		}
	}
	if custom < 7 {
		t.Error("only", custom)
	}
}
