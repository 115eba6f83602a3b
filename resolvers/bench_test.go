package resolvers_test

import (
	"bytes"
	"encoding/json"
	"testing"
)

const pageQuery = `query($n: Int = 50) { orders(filter: {statuses: [PENDING_PAYMENT]}, orderBy: {field: CREATED_AT, direction: DESC}, first: $n) { pageInfo { endCursor hasNextPage }
	nodes { id number type productType amountDue { amount currency } createdAt expiresAt items { name quantity amount { amount currency } } payability { payable code } } } }`

// BenchmarkFace is what the GraphQL face and SQLite cost a request; allocations are what to watch.
func BenchmarkFace(b *testing.B) {
	for name, query := range map[string]string{"home": homeQuery, "page": pageQuery} {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b)
			for range 60 {
				w.placed(false, "1.00")
			}
			ctx := w.context(w.viewer)
			var buf bytes.Buffer
			b.ReportAllocs()
			for b.Loop() {
				buf.Reset()
				r := w.start(ctx, query, nil)(ctx)
				if len(r.Errors) > 0 {
					b.Fatal(r.Errors)
				}
				_ = json.NewEncoder(&buf).Encode(r)
			}
		})
	}
}
