package refund_test

import (
	"testing"

	"pgregory.net/rapid"

	"paydesk/internal/billing/refund"
)

// D10, lesson 14: whatever is refunded in whatever pieces, no piece and no part is negative, no part gives more than it has, the pieces
// follow the proportion of the parts to a cent each, and all together give back exactly each part.
func TestSplitGivesBackExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(0, 1e6)
		parts := refund.Parts{Balance: amount.Draw(t, "balance"), Online: amount.Draw(t, "online"), Partner: amount.Draw(t, "partner")}
		whole := parts.Balance + parts.Online + parts.Partner
		var done refund.Parts
		for left := whole; left > 0; {
			piece := rapid.Int64Range(1, left).Draw(t, "piece")
			g := refund.Split(parts, done, piece)
			if g.Balance < 0 || g.Online < 0 || g.Partner < 0 || g.Balance+g.Online+g.Partner != piece {
				t.Fatalf("%d is %+v", piece, g)
			}
			done = refund.Parts{Balance: done.Balance + g.Balance, Online: done.Online + g.Online, Partner: done.Partner + g.Partner}
			if done.Balance > parts.Balance || done.Online > parts.Online || done.Partner > parts.Partner {
				t.Fatalf("%+v out of %+v", done, parts)
			}
			left -= piece
			for _, c := range [][2]int64{{done.Balance, parts.Balance}, {done.Online, parts.Online}, {done.Partner, parts.Partner}} {
				if off := c[0]*whole - (whole-left)*c[1]; off > 2*whole || off < -2*whole {
					t.Fatalf("%d of %d after %d of %d", c[0], c[1], whole-left, whole)
				}
			}
		}
		if done != parts {
			t.Fatalf("%+v went back of %+v", done, parts)
		}
	})
}

// What went back out of proportion, because a channel refused its part, is made up for by what follows.
func TestSplitMakesUpForWhatFailed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(0, 1e6)
		parts := refund.Parts{Balance: amount.Draw(t, "balance"), Online: amount.Draw(t, "online"), Partner: amount.Draw(t, "partner")}
		done := refund.Parts{Balance: rapid.Int64Range(0, parts.Balance).Draw(t, "b"), Online: rapid.Int64Range(0, parts.Online).Draw(t, "o"), Partner: rapid.Int64Range(0, parts.Partner).Draw(t, "p")}
		rest := refund.Parts{Balance: parts.Balance - done.Balance, Online: parts.Online - done.Online, Partner: parts.Partner - done.Partner}
		left := rest.Balance + rest.Online + rest.Partner
		if left == 0 {
			return
		}
		g := refund.Split(parts, done, rapid.Int64Range(1, left).Draw(t, "piece"))
		if g.Balance < 0 || g.Balance > rest.Balance || g.Online < 0 || g.Online > rest.Online || g.Partner < 0 || g.Partner > rest.Partner {
			t.Fatalf("%+v of %+v", g, rest)
		}
		if g := refund.Split(parts, done, left); g != rest {
			t.Fatalf("the rest of %+v is %+v", rest, g)
		}
	})
}
