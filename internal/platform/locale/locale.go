// Package locale chooses the language of a request: en, zh-Hans or zh-Hant.
package locale

import (
	"context"

	"golang.org/x/text/language"
)

// The languages that paydesk speaks.
const (
	English            = "en"
	SimplifiedChinese  = "zh-Hans"
	TraditionalChinese = "zh-Hant"
)

// Default is the language of those who do not say.
const Default = English

// All lists the languages, the default first.
var All = []string{English, SimplifiedChinese, TraditionalChinese}

var matcher = language.NewMatcher([]language.Tag{
	language.English, language.MustParse(SimplifiedChinese), language.MustParse(TraditionalChinese),
})

type key struct{}

// From is the language of the request, Default where none was chosen.
func From(ctx context.Context) string {
	if l, ok := ctx.Value(key{}).(string); ok {
		return l
	}
	return Default
}

// With puts the language into the context; pass one of All.
func With(ctx context.Context, l string) context.Context { return context.WithValue(ctx, key{}, l) }

// maxHeader bounds what is parsed of a header; browsers send far less.
const maxHeader = 256

// Match reads an Accept-Language header (RFC 9110 §12.5.4) or a single tag such as "zh-CN" or "zh-HK".
// ok is false where nothing in it fits, an empty text included.
func Match(acceptLanguage string) (l string, ok bool) {
	switch acceptLanguage { // the usual ones need no parsing
	case "":
		return Default, false
	case English, SimplifiedChinese, TraditionalChinese:
		return acceptLanguage, true
	case "zh-CN", "zh":
		return SimplifiedChinese, true
	case "zh-TW", "zh-HK":
		return TraditionalChinese, true
	}
	if len(acceptLanguage) > maxHeader {
		return Default, false
	}
	tags, _, err := language.ParseAcceptLanguage(acceptLanguage)
	if err != nil || len(tags) == 0 {
		return Default, false
	}
	_, i, confidence := matcher.Match(tags...)
	if confidence == language.No {
		return Default, false
	}
	return All[i], true
}
