package models

import (
	"testing"

	"pgregory.net/rapid"
)

func TestIDRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var id ID
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id"))
		if id.IsZero() {
			return
		}
		got, err := Decode("pay", id.Encode("pay"))
		if err != nil || got != id {
			t.Fatalf("%x became %x (%v)", id, got, err)
		}
		if _, err := Decode("ord", id.Encode("pay")); err == nil {
			t.Fatal("an id of another type was taken")
		}
	})
}

// The example of the TypeID specification.
func TestIDMatchesTypeIDSpec(t *testing.T) {
	id := ID{0x01, 0x89, 0x0a, 0x5d, 0xac, 0x96, 0x77, 0x4b, 0xbc, 0xce, 0xb3, 0x02, 0x09, 0x9a, 0x80, 0x57}
	if got := id.Encode("prefix"); got != "prefix_01h455vb4pex5vsknk084sn02q" {
		t.Fatal(got)
	}
}

func TestIDRefusesGarbage(t *testing.T) {
	for _, s := range []string{"", "pay", "pay_", "pay_zzzzzzzzzzzzzzzzzzzzzzzzzz", "pay_01H455VB4PEX5VSKNK084SN02Q", "pay_01h455vb4pex5vsknk084sn02", "pay_00000000000000000000000000"} {
		if _, err := Decode("pay", s); err == nil {
			t.Errorf("%q was taken", s)
		}
	}
}
