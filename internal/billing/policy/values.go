package policy

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"paydesk/internal/money"
)

// Duration is a span of time: Go's form ("15m", "72h") or whole days ("7d").
type Duration time.Duration

// UnmarshalYAML reads a span above zero.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	text := n.Value
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if whole, err := strconv.Atoi(days); err == nil && whole > 0 && whole <= 10000 {
			*d = Duration(time.Duration(whole) * 24 * time.Hour)
			return nil
		}
	}
	span, err := time.ParseDuration(text)
	if err != nil || span <= 0 {
		return at(n, "%q is not a span of time; what fits: 15m, 72h, 7d", text)
	}
	*d = Duration(span)
	return nil
}

// Percent is a percentage with at most two decimals, in hundredths of a percent: "6.5" is 650.
type Percent int64

// UnmarshalYAML reads 0 to 100.
func (p *Percent) UnmarshalYAML(n *yaml.Node) error {
	m, err := money.Parse(n.Value, "CNY") // two decimals, like a percentage
	if err != nil || m.Negative() || m.Minor > 10000 {
		return at(n, "%q is not a percentage from 0 to 100 with at most two decimals", n.Value)
	}
	*p = Percent(m.Minor)
	return nil
}

// Text is a text in the languages of the site: a plain string for all, or one for each of en, zh-Hans, zh-Hant.
type Text struct{ en, hans, hant string }

// In is the text in a locale.
func (t Text) In(locale string) string {
	switch locale {
	case "zh-Hans":
		return t.hans
	case "zh-Hant":
		return t.hant
	}
	return t.en
}

// UnmarshalYAML reads one string for all languages, or a mapping with every language.
func (t *Text) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*t = Text{n.Value, n.Value, n.Value}
		return nil
	}
	err := entries(n, func(key string, value *yaml.Node) error {
		switch key {
		case "en":
			t.en = value.Value
		case "zh-Hans":
			t.hans = value.Value
		case "zh-Hant":
			t.hant = value.Value
		default:
			return at(value, "unknown language %q; what fits: en, zh-Hans, zh-Hant", key)
		}
		return nil
	})
	if err == nil && (t.en == "" || t.hans == "" || t.hant == "") {
		return at(n, "a text is needed in en, zh-Hans and zh-Hant")
	}
	return err
}

// Limit is the least and the most of one payment.
type Limit struct{ Minimum, Maximum money.Money }

// Limits are limits by currency; the currencies are those that the channel takes.
type Limits map[money.Currency]Limit

// UnmarshalYAML reads {CNY: {minimum: 0.10, maximum: 300000}}.
func (l *Limits) UnmarshalYAML(n *yaml.Node) error {
	if *l == nil {
		*l = Limits{}
	}
	return byCurrency(n, func(c money.Currency, value *yaml.Node) error {
		var limit Limit
		err := entries(value, func(key string, value *yaml.Node) (err error) {
			switch key {
			case "minimum":
				limit.Minimum, err = amount(value, c)
			case "maximum":
				limit.Maximum, err = amount(value, c)
			default:
				err = at(value, "unknown key %q; what fits: minimum, maximum", key)
			}
			return err
		})
		if err == nil && (limit.Minimum.Minor < 1 || limit.Maximum.Minor < limit.Minimum.Minor) {
			err = at(value, "the minimum has to be above zero and the maximum not below it")
		}
		(*l)[c] = limit
		return err
	})
}

// Amounts is one amount for each currency.
type Amounts map[money.Currency]money.Money

// UnmarshalYAML reads {USD: 1.00}.
func (a *Amounts) UnmarshalYAML(n *yaml.Node) error {
	if *a == nil {
		*a = Amounts{}
	}
	return byCurrency(n, func(c money.Currency, value *yaml.Node) (err error) {
		(*a)[c], err = amount(value, c)
		return err
	})
}

// AmountLists is a list of amounts for each currency.
type AmountLists map[money.Currency][]money.Money

// UnmarshalYAML reads {CNY: [100, 500]}.
func (a *AmountLists) UnmarshalYAML(n *yaml.Node) error {
	if *a == nil {
		*a = AmountLists{}
	}
	return byCurrency(n, func(c money.Currency, value *yaml.Node) error {
		if value.Kind != yaml.SequenceNode {
			return at(value, "a list of amounts is needed, like [100, 500]")
		}
		list := make([]money.Money, len(value.Content))
		for i, item := range value.Content {
			m, err := amount(item, c)
			if err != nil {
				return err
			}
			list[i] = m
		}
		(*a)[c] = list
		return nil
	})
}

var currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)

func byCurrency(n *yaml.Node, each func(money.Currency, *yaml.Node) error) error {
	return entries(n, func(key string, value *yaml.Node) error {
		c := money.Currency(key)
		if _, known := c.Exponent(); !known || !currencyCode.MatchString(key) {
			return at(value, "unknown currency %q; what fits: an ISO 4217 code like CNY", key)
		}
		return each(c, value)
	})
}

// amount reads the scalar's text, so that 0.10 never becomes a float.
func amount(n *yaml.Node, c money.Currency) (money.Money, error) {
	m, err := money.Parse(n.Value, c)
	if err != nil || m.Negative() {
		return m, at(n, "%q is not an amount in %s", n.Value, c)
	}
	return m, nil
}

func entries(n *yaml.Node, each func(key string, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return at(n, "a mapping is needed here")
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := n.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if err := each(n.Content[i].Value, value); err != nil {
			return err
		}
	}
	return nil
}

// misplaced is a value that does not fit, and where it stands.
type misplaced struct {
	line, column int
	text         string
}

func (m *misplaced) Error() string { return m.text }

func at(n *yaml.Node, format string, args ...any) error {
	return &misplaced{n.Line, n.Column, fmt.Sprintf(format, args...)}
}
