package order

import (
	"reflect"
	"testing"

	"paydesk/models"

	"pgregory.net/rapid"
)

func drawItems(t *rapid.T) models.OrderItems {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) models.OrderItem {
		return models.OrderItem{ID: models.NewID(), Name: rapid.String().Draw(t, "name"), Specification: rapid.String().Draw(t, "spec"),
			Quantity: rapid.IntRange(-5, 1e9).Draw(t, "quantity"), Period: rapid.StringN(0, 8, -1).Draw(t, "period"), Amount: rapid.Int64().Draw(t, "amount")}
	}), 1, 5).Draw(t, "items")
}

// The parser reads everything that the encoder writes, and the same as encoding/json does.
func TestDecodeItems(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw, err := drawItems(t).Value()
		if err != nil {
			t.Fatal(err)
		}
		var want models.OrderItems
		if err := want.Scan(raw); err != nil {
			t.Fatal(err)
		}
		got, err := decodeItems([]byte(raw.(string)))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%s became %+v (%v)", raw, got, err)
		}
	})
}

// What is usual takes the fast way; otherwise the parser would be there for nothing.
func TestUsualItemsAreDecodedFast(t *testing.T) {
	items := models.OrderItems{
		{ID: models.NewID(), Name: "云服务器 ecs.g7.large", Specification: "2 vCPU · 8 GiB", Quantity: 2, Period: "1 year", Amount: 123450},
		{ID: models.NewID(), Name: "EIP", Quantity: 1, Amount: 0},
	}
	raw, _ := items.Value()
	if got, ok := decodeFast([]byte(raw.(string))); !ok || !reflect.DeepEqual(got, items) {
		t.Fatalf("%s: %+v", raw, got)
	}
}

func TestBrokenItemsAreAnError(t *testing.T) {
	for _, raw := range []string{"", "[", "[}", `[{"id":"00"}]`, `{"id":"`, "[]x", `[{"id":"zz`} {
		if _, err := decodeItems([]byte(raw)); err == nil {
			t.Errorf("%q was taken", raw)
		}
	}
}

func BenchmarkDecodeItems(b *testing.B) {
	items := models.OrderItems{{ID: models.NewID(), Name: "ecs.g7.large", Specification: "2 vCPU, 8 GiB", Quantity: 1, Period: "1 month", Amount: 123450}}
	raw, _ := items.Value()
	text := []byte(raw.(string))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := decodeItems(text); err != nil {
			b.Fatal(err)
		}
	}
}
