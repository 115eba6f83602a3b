package locale

import "testing"

func TestOfCountry(t *testing.T) {
	for country, want := range map[string]string{"CN": "zh-Hans", "HK": "zh-Hant", "MO": "zh-Hant", "TW": "zh-Hant", "SG": "en", "US": "en", "": "en"} {
		if got := OfCountry(country); got != want {
			t.Errorf("%q: %s, want %s", country, got, want)
		}
	}
}
