package money_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"paydesk/internal/money"
)

func TestAllocate(t *testing.T) {
	for _, c := range []struct {
		total   int64
		weights []int64
		want    []int64
	}{
		{1000, []int64{1, 1, 1}, []int64{334, 333, 333}}, // 1000/3: no cent lost, the tie goes by position
		{100, []int64{50, 30, 20}, []int64{50, 30, 20}},
		{1, []int64{1, 2}, []int64{0, 1}},
		{5, []int64{0, 10}, []int64{0, 5}},
		{-1000, []int64{1, 1, 1}, []int64{-334, -333, -333}},
		{7, []int64{0, 0}, []int64{4, 3}},
		{0, nil, []int64{}},
		{math.MaxInt64, []int64{math.MaxInt64, math.MaxInt64}, []int64{math.MaxInt64/2 + 1, math.MaxInt64 / 2}},
	} {
		if got := money.Allocate(c.total, c.weights); !slices.Equal(got, c.want) {
			t.Errorf("Allocate(%d, %v) = %v, want %v", c.total, c.weights, got, c.want)
		}
	}
}

func TestAllocatePanicsOnFaultsOfTheProgram(t *testing.T) {
	for name, weights := range map[string][]int64{
		"nothing":   nil,
		"negative":  {1, -1},
		"too large": {math.MaxInt64, math.MaxInt64, math.MaxInt64},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			money.Allocate(1, weights)
		}()
	}
}

// Lesson 14: for 1 to 30 orders and any discount, the parts sum to the whole and 0 ≤ part ≤ order.
func TestAllocateSumsToTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1e15), 1, 30).Draw(t, "weights")
		total := rapid.Int64Range(0, sum(weights)).Draw(t, "total")
		parts := money.Allocate(total, weights)
		if sum(parts) != total {
			t.Fatalf("parts %v sum to %d, not %d", parts, sum(parts), total)
		}
		for i, p := range parts {
			if p < 0 || p > weights[i] {
				t.Fatalf("part %d of %d", p, weights[i])
			}
		}
		// What was spread can be taken back part by part: the mirror image is exact.
		for i, p := range money.Allocate(-total, weights) {
			if p != -parts[i] {
				t.Fatalf("part %d is not the mirror of %d", p, parts[i])
			}
		}
	})
}

// Lesson 14: the input's order decides nothing but ties: equal weights differ by at most one minor unit and the earlier one
// gets it; orders of different weight keep their part wherever they stand.
func TestAllocatePermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weights := rapid.SliceOfN(rapid.Int64Range(0, 50), 1, 30).Draw(t, "weights")
		total := rapid.Int64Range(0, sum(weights)).Draw(t, "total")
		parts := money.Allocate(total, weights)
		for i := range weights {
			for j := i + 1; j < len(weights); j++ {
				if weights[i] == weights[j] && (parts[i] < parts[j] || parts[i] > parts[j]+1) {
					t.Fatalf("equal weights at %d and %d got %d and %d", i, j, parts[i], parts[j])
				}
			}
		}
		shuffled := rapid.Permutation(weights).Draw(t, "shuffled")
		if !slices.Equal(byWeight(weights, parts), byWeight(shuffled, money.Allocate(total, shuffled))) {
			// Remainders can also tie between different weights; then a unit may move between them, never more.
			for i, p := range byWeight(weights, parts) {
				q := byWeight(shuffled, money.Allocate(total, shuffled))[i]
				if p.weight != q.weight || p.part-q.part > 1 || q.part-p.part > 1 {
					t.Fatalf("%v became %v", p, q)
				}
			}
		}
	})
}

type weighed struct{ weight, part int64 }

func byWeight(weights, parts []int64) []weighed {
	out := make([]weighed, len(weights))
	for i := range weights {
		out[i] = weighed{weights[i], parts[i]}
	}
	slices.SortFunc(out, func(a, b weighed) int {
		if a.weight != b.weight {
			return int(a.weight - b.weight)
		}
		return int(a.part - b.part)
	})
	return out
}

func sum(values []int64) (s int64) {
	for _, v := range values {
		s += v
	}
	return s
}
