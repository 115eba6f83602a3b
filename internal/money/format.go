package money

import (
	"strconv"
	"strings"
	"sync"

	iso "github.com/bojanz/currency"
)

// Format writes the amount as people of the locale (en, zh-Hans, zh-Hant) read it, by CLDR, "¥1,234.50", "US$5.00",
// "-¥0.05", but for one thing: the site's own yuan is "¥" in every language, not "CN¥" (contract, Money.formatted). Other locales fold to the nearest of the three, else English.
func (m Money) Format(locale string) string {
	exponent, ok := m.Currency.Exponent()
	if !ok {
		return m.String()
	}
	s := styleOf(fold(locale), m.Currency)
	var buf [48]byte
	dst := buf[:0]
	if m.Negative() {
		dst = append(dst, s.negative...)
	} else {
		dst = append(dst, s.positive...)
	}
	dst = appendGrouped(dst, magnitude(m.Minor)/powers[exponent], s.group)
	dst = appendFraction(dst, m.Minor, exponent, s.point)
	return string(append(dst, s.suffix...))
}

// style is how one currency looks in one locale. All three locales group by thousands.
type style struct{ positive, negative, suffix, group, point string }

type styleKey struct {
	locale   string
	currency Currency
}

// styles keeps what was learnt: at most three locales times the known currencies.
var styles sync.Map

func styleOf(locale string, c Currency) style {
	key := styleKey{locale, c}
	if s, ok := styles.Load(key); ok {
		return s.(style)
	}
	s := learn(locale, c)
	styles.Store(key, s)
	return s
}

// learn reads the style off two amounts written by the CLDR formatter, which is exact but too slow for long lists.
func learn(locale string, c Currency) style {
	formatter := iso.NewFormatter(iso.NewLocale(locale))
	formatter.SymbolMap["CNY"] = "¥"
	write := func(number string) string {
		amount, err := iso.NewAmount(number, string(c))
		if err != nil {
			panic("money: " + err.Error()) // the currency was just found
		}
		return formatter.Format(amount)
	}
	point := ""
	text := write("1234") // e.g. "¥1,234.00"
	start, end := strings.IndexByte(text, '1'), strings.LastIndexByte(text, '4')+1
	tail := text[end:]
	if zero := strings.IndexByte(tail, '0'); zero >= 0 {
		point, tail = tail[:zero], tail[strings.LastIndexByte(tail, '0')+1:]
	}
	negative := write("-1234")
	return style{
		positive: text[:start],
		negative: negative[:strings.IndexByte(negative, '1')],
		suffix:   tail,
		group:    text[start+1 : strings.IndexByte(text, '2')],
		point:    point,
	}
}

func appendGrouped(dst []byte, units uint64, separator string) []byte {
	var buf [20]byte
	digits := strconv.AppendUint(buf[:0], units, 10)
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			dst = append(dst, separator...)
		}
		dst = append(dst, d)
	}
	return dst
}

func fold(locale string) string {
	switch {
	case locale == "en" || locale == "zh-Hans" || locale == "zh-Hant":
		return locale
	case !strings.HasPrefix(locale, "zh"):
		return "en"
	case strings.Contains(locale, "Hant"), strings.HasSuffix(locale, "-TW"), strings.HasSuffix(locale, "-HK"), strings.HasSuffix(locale, "-MO"):
		return "zh-Hant"
	}
	return "zh-Hans"
}
