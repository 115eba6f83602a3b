// Package messages is the catalogue of everything the server says to people, in English (en), simplified (zh-Hans) and traditional
// Chinese (zh-Hant): one YAML file a language, the same keys in each.
package messages

import (
	"embed"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"paydesk/internal/money"
	"paydesk/models"
)

// Locales are the languages there are; the first is the one for everybody else.
var Locales = []string{"en", "zh-Hans", "zh-Hant"}

// Key is an argument that is itself a message: its text takes its place.
type Key string

// Text is the message in a locale, with {name} replaced by the argument of that name: money in the locale's form, a channel by
// its name, a Key by its text, all else as it prints. An argument "case" chooses the variant key.case, a "count" of one the
// variant key.one, where there is such a variant. A message can have several wordings; the first whose arguments are all given
// is taken. An unknown locale reads English; an unknown key is returned as it is, and a test sees to it that none is.
func Text(locale, key string, args map[string]any) string {
	language, ok := catalogue[locale]
	if !ok {
		locale, language = Locales[0], catalogue[Locales[0]]
	}
	wordings := language[variant(language, key, args)]
	if len(wordings) == 0 {
		return key
	}
	for _, w := range wordings {
		if w.fits(args) {
			return w.write(locale, args)
		}
	}
	return wordings[len(wordings)-1].write(locale, args)
}

// ForField is the message of a fault at a path of the input: the variant key.<last field> where there is one, such as
// INVALID_INPUT.email, or key.<last field>.<case>, such as INVALID_INPUT.code.begin; else the message as such.
func ForField(locale, key string, field []string, args map[string]any) string {
	if n := len(field); n > 0 {
		if at := key + "." + field[n-1]; Has(variant(catalogue[Locales[0]], at, args)) {
			key = at
		}
	}
	return Text(locale, key, args)
}

// Has reports whether there is a message with this key.
func Has(key string) bool { return len(catalogue[Locales[0]][key]) > 0 }

// Remedy is what a person can do after a payment or a method failed with a code.
func Remedy(locale, code string) string {
	if key := "remedy." + code; Has(key) {
		return Text(locale, key, nil)
	}
	return Text(locale, "remedy.default", nil)
}

// Channel is the name of a payment channel.
func Channel(locale string, c models.PaymentChannel) string {
	return Text(locale, "channel.name."+string(c), nil)
}

// CardBrand is the name of a card's network.
func CardBrand(locale, brand string) string { return Text(locale, "card.brand."+brand, nil) }

func variant(language map[string][]wording, key string, args map[string]any) string {
	suffix := ""
	if c, ok := args["case"]; ok {
		suffix = fmt.Sprint(c)
	} else if n, ok := args["count"]; ok && fmt.Sprint(n) == "1" {
		suffix = "one"
	}
	if suffix != "" {
		if v := key + "." + suffix; len(language[v]) > 0 {
			return v
		}
	}
	return key
}

// wording is a text cut at its placeholders: text, name, text, name, …, text.
type wording []string

func (w wording) fits(args map[string]any) bool {
	for i := 1; i < len(w); i += 2 {
		if _, ok := args[w[i]]; !ok {
			return false
		}
	}
	return true
}

func (w wording) write(locale string, args map[string]any) string {
	if len(w) == 1 {
		return w[0]
	}
	var b strings.Builder
	for i, part := range w {
		if i%2 == 0 {
			b.WriteString(part)
		} else {
			b.WriteString(argument(locale, args[part]))
		}
	}
	return b.String()
}

func argument(locale string, value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case money.Money:
		return v.Format(locale)
	case models.PaymentChannel:
		return Channel(locale, v)
	case Key:
		return Text(locale, string(v), nil)
	}
	return fmt.Sprint(value)
}

//go:embed catalogue/*.yaml
var files embed.FS

// catalogue is language → key → wordings, read once; a fault in a file is a fault of the program.
var catalogue = func() map[string]map[string][]wording {
	out := map[string]map[string][]wording{}
	for _, locale := range Locales {
		source, err := files.ReadFile("catalogue/" + locale + ".yaml")
		if err != nil {
			panic("messages: " + err.Error())
		}
		var texts map[string]wordings
		if err := yaml.Unmarshal(source, &texts); err != nil {
			panic("messages: " + locale + ": " + err.Error())
		}
		out[locale] = map[string][]wording{}
		for key, w := range texts {
			out[locale][key] = w
		}
	}
	return out
}()

// wordings is a text, or a list of texts from the fullest to the plainest.
type wordings []wording

// UnmarshalYAML reads one text or a list.
func (w *wordings) UnmarshalYAML(n *yaml.Node) error {
	nodes := n.Content
	if n.Kind == yaml.ScalarNode {
		nodes = []*yaml.Node{n}
	}
	for _, node := range nodes {
		cut, err := parse(node.Value)
		if err != nil {
			return fmt.Errorf("line %d: %w", node.Line, err)
		}
		*w = append(*w, cut)
	}
	return nil
}

func parse(text string) (wording, error) {
	var w wording
	for {
		before, rest, open := strings.Cut(text, "{")
		w = append(w, before)
		if !open {
			return w, nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed || name == "" || strings.ContainsAny(name, " {") {
			return nil, fmt.Errorf("a placeholder in %q is not closed", text)
		}
		w, text = append(w, name), after
	}
}
