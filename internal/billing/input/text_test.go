package input

import (
	"strings"
	"testing"

	"paydesk/internal/billing/fault"
)

func TestHoldsCardNumber(t *testing.T) {
	tests := map[string]bool{
		"4242424242424242":                 true,
		"4242 4242 4242 4242":              true,
		"4242-4242-4242-4242 thanks":       true,
		"pay with 378282246310005, please": true,
		"２０２６ ４２４２４２４２４２４２４２４２":               true, // full-width, beside another group
		"in 2026 4242424242424242":            true,
		"卡号：5555555555554444。":                true,
		"4242424242424241":                    false, // check digit
		"424242424242":                        false, // 12 digits
		"00000000000000000000":                false,
		"0000000000000000":                    false,
		"42424242424242424242424242424242":    false, // longer in itself
		"4242  4242 4242":                     false,
		"ecs.g7.2xlarge, 8 vCPU, 32 GiB, 1 y": false,
		"":                                    false,
	}
	for text, want := range tests {
		if got := HoldsCardNumber(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestText(t *testing.T) {
	tests := []struct {
		text     string
		required bool
		max      int
		want     string
		code     string
	}{
		{" Lin Xiaomei ", true, 20, "Lin Xiaomei", ""},
		{"林小美", true, 3, "林小美", ""},
		{"", false, 3, "", ""},
		{"  ", true, 3, "", "INVALID_INPUT"},
		{"林小美美", true, 3, "", "INVALID_INPUT"},
		{"a\x00b", false, 9, "", "INVALID_INPUT"},
		{"a\xffb", false, 9, "", "INVALID_INPUT"},
		{"4242 4242 4242 4242", true, 50, "", "CARD_DATA_NOT_ACCEPTED"},
	}
	for _, c := range tests {
		got, err := Text(c.text, c.required, c.max, "input", "name")
		if c.code != "" && !fault.Is(err, c.code) || c.code == "" && (err != nil || got != c.want) {
			t.Errorf("%q: %q, %v", c.text, got, err)
		}
	}
}

func TestNumber(t *testing.T) {
	for _, good := range []string{"1", "HW-2026/11.0001", "4242424242424242", strings.Repeat("9", 64)} {
		if err := Number(good, "input", "number"); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", " 1", "1 ", "订单", "a\tb", strings.Repeat("9", 65)} {
		if err := Number(bad, "input", "number"); !fault.Is(err, "INVALID_INPUT") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
