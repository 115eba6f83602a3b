package resolvers

import (
	"paydesk/graph/model"
	"paydesk/internal/platform/page"
)

func pageInfo[T any](r page.Result[T]) model.PageInfo {
	info := model.PageInfo{HasNextPage: r.HasNext, HasPreviousPage: r.HasPrevious}
	if n := len(r.Items); n > 0 {
		first, last := r.Cursor(r.Items[0]), r.Cursor(r.Items[n-1])
		info.StartCursor, info.EndCursor = &first, &last
	}
	return info
}

// edges gives each element its cursor; nodes are the mapped elements in the same order.
func edges[Row, Node, Edge any](r page.Result[Row], nodes []Node, edge func(cursor string, n Node) *Edge) []*Edge {
	out := make([]*Edge, len(nodes))
	for i, n := range nodes {
		out[i] = edge(r.Cursor(r.Items[i]), n)
	}
	return out
}
