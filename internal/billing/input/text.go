// Package input checks what people and the vendor's systems write to us: texts that are bounded and hold no card number,
// amounts in the right currency and no finer than it. Everything refused is a fault with the path of the field.
package input

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"paydesk/internal/billing/fault"
)

// Lengths of texts, in characters. Columns of the database are as wide.
const (
	MaxNumber = 64  // account and order numbers
	MaxName   = 200 // names of people, companies and things
	MaxReason = 500
)

// Text refuses what is not UTF-8, has control characters, is longer than max characters or, where it is required, is
// blank (INVALID_INPUT), and what holds a card number (CARD_DATA_NOT_ACCEPTED). The text comes back without surrounding
// space.
func Text(text string, required bool, max int, field ...string) (string, error) {
	text = strings.TrimSpace(text)
	if required && text == "" || !utf8.ValidString(text) || utf8.RuneCountInString(text) > max ||
		strings.ContainsFunc(text, unicode.IsControl) {
		return "", fault.New("INVALID_INPUT", field...)
	}
	if HoldsCardNumber(text) {
		return "", fault.New("CARD_DATA_NOT_ACCEPTED", field...)
	}
	return text, nil
}

// Number refuses what is not 1 to MaxNumber visible ASCII characters. Numbers of accounts and orders are exempt from the
// search for card numbers (contract.md §7).
func Number(text string, field ...string) error {
	if text == "" || len(text) > MaxNumber || !visible(text) {
		return fault.New("INVALID_INPUT", field...)
	}
	return nil
}

func visible(text string) bool {
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}
