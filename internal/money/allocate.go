package money

import (
	"math/bits"
	"slices"
)

// Allocate spreads a total over weights in proportion, by largest remainder: the parts sum to the total, and where the total
// is at most the sum of the weights no part exceeds its weight. Equal remainders are served by position, so a caller that
// orders by id gets the same parts whatever the order was before. A negative total gives the mirror image. Where all weights
// are zero they count as equal. Weights are never negative, and there is at least one for a total that is not zero: all else
// is a fault of the program and panics. (Lesson 14.)
func Allocate(total int64, weights []int64) []int64 {
	parts := make([]int64, len(weights))
	if total == 0 {
		return parts
	}
	sum, weight := weigh(weights)
	type share struct {
		position  int
		remainder uint64
	}
	shares := make([]share, len(weights))
	whole := magnitude(total)
	left := whole
	for i := range weights {
		part, remainder := mulDiv(whole, weight(i), sum)
		parts[i] = int64(part)
		left -= part
		shares[i] = share{i, remainder}
	}
	slices.SortStableFunc(shares, func(a, b share) int {
		switch {
		case a.remainder > b.remainder:
			return -1
		case a.remainder < b.remainder:
			return 1
		}
		return 0
	})
	for i := range left { // left is less than the number of remainders above zero
		parts[shares[i].position]++
	}
	if total < 0 {
		for i := range parts {
			parts[i] = -parts[i]
		}
	}
	return parts
}

// Portion is amount × part ÷ whole, half up to the minor unit: a percentage of an amount. Amount and part are not below zero, part is at
// most the whole.
func Portion(amount, part, whole int64) int64 {
	quotient, remainder := mulDiv(magnitude(amount), magnitude(part), magnitude(whole))
	if remainder >= magnitude(whole)-remainder {
		quotient++
	}
	return int64(quotient)
}

// weigh sums the weights and gives access to them; all zero counts as one each.
func weigh(weights []int64) (sum uint64, weight func(int) uint64) {
	var carry, over uint64
	for _, w := range weights {
		if w < 0 {
			panic("money: a weight is negative")
		}
		sum, carry = bits.Add64(sum, uint64(w), 0)
		over |= carry
	}
	switch {
	case len(weights) == 0:
		panic("money: an amount, but nothing to spread it over")
	case over != 0:
		panic("money: the weights are too large")
	case sum == 0:
		return uint64(len(weights)), func(int) uint64 { return 1 }
	}
	return sum, func(i int) uint64 { return uint64(weights[i]) }
}
