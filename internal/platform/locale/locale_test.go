package locale

import (
	"context"
	"strings"
	"testing"
)

func TestMatch(t *testing.T) {
	for header, want := range map[string]string{
		"en": "en", "en-GB,en;q=0.9": "en", "zh-CN": "zh-Hans", "zh": "zh-Hans", "zh-SG": "zh-Hans", "zh-Hans-HK": "zh-Hans",
		"zh-TW": "zh-Hant", "zh-HK": "zh-Hant", "zh-MO;q=1": "zh-Hant", "zh-CN,zh;q=0.9,en;q=0.8": "zh-Hans",
		"fr-FR,zh-TW;q=0.5": "zh-Hant", "fr": "", "": "", "*": "", "%%%": "", strings.Repeat("en,", 100): "",
	} {
		got, ok := Match(header)
		if want == "" {
			if ok {
				t.Errorf("%q: %s, wanted nothing", header, got)
			}
			continue
		}
		if !ok || got != want {
			t.Errorf("%q: %s %v, wanted %s", header, got, ok, want)
		}
	}
}

func TestContext(t *testing.T) {
	if From(context.Background()) != Default {
		t.Fatal("no default")
	}
	if got := From(With(context.Background(), TraditionalChinese)); got != TraditionalChinese {
		t.Fatal(got)
	}
}
