package input

// Lengths of a card number (ISO/IEC 7812-1 allows fewer; no scheme uses them).
const (
	minCard = 13
	maxCard = 19
)

// HoldsCardNumber reports whether a text has 13 to 19 digits in a row that pass Luhn (contract.md §7). Single spaces and
// dashes between groups of digits count as part of the number, full-width digits as digits. A run of digits that is
// longer in itself is something else.
func HoldsCardNumber(text string) bool {
	var digits []byte // of the groups that hang together
	var groups []int  // where each of them starts
	afterSeparator := false
	for _, r := range text {
		if r >= '０' && r <= '９' {
			r -= '０' - '0'
		}
		switch {
		case r >= '0' && r <= '9':
			if len(digits) == 0 || afterSeparator {
				groups = append(groups, len(digits))
			}
			digits = append(digits, byte(r))
			afterSeparator = false
		case (r == ' ' || r == '-' || r == '\u00a0' || r == '\u3000') && len(digits) > 0 && !afterSeparator:
			afterSeparator = true
		default:
			if anyCard(digits, groups) {
				return true
			}
			digits, groups, afterSeparator = digits[:0], groups[:0], false
		}
	}
	return anyCard(digits, groups)
}

// anyCard looks at every run of whole groups.
func anyCard(digits []byte, groups []int) bool {
	for i, from := range groups {
		for j := i; j < len(groups); j++ {
			to := len(digits)
			if j+1 < len(groups) {
				to = groups[j+1]
			}
			if n := to - from; n > maxCard {
				break
			} else if n >= minCard && luhn(digits[from:to]) {
				return true
			}
		}
	}
	return false
}

// luhn checks the check digit of ISO/IEC 7812-1, annex B. All zeros are nobody's card.
func luhn(digits []byte) bool {
	sum, any := 0, false
	for i := range digits {
		d := int(digits[len(digits)-1-i] - '0')
		any = any || d != 0
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return any && sum%10 == 0
}
