package config

import (
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Error is a wrong value: one line that names the variable, what it holds (never a secret) and what fits.
type Error struct{ Variable, Holds, Wants string }

// Error is that line.
func (e *Error) Error() string { return e.Variable + " " + e.Holds + ": " + e.Wants }

// Unusable says of a variable whose form is right that what it names cannot be used, in one line.
func Unusable(variable, value string, why error) error {
	return &Error{variable, quote(maskURL(value)), strings.Join(strings.Fields(why.Error()), " ")}
}

// Variable is a row of the table of all variables.
type Variable struct{ Name, Default, Doc string }

// extra are variables that are read elsewhere.
var extra = []Variable{
	{"PAYDESK_TEST_DATABASE_URL", "", "Tests only: a MariaDB or MySQL server to test against."},
	{"PAYDESK_TEST_REDIS_URL", "", "Tests only: a Redis to test against."},
	{"GOGC", "400", "Go's own: how far the heap may grow, in percent, before garbage is collected."},
	{"GOMEMLIMIT", "2GiB", "Go's own: memory beyond which garbage is collected more eagerly."},
}

// Doc is the table of all variables, in the order they are declared.
func Doc() []Variable {
	var out []Variable
	each(reflect.ValueOf(&Config{}).Elem(), func(f reflect.StructField, _ reflect.Value) error {
		out = append(out, Variable{f.Tag.Get("env"), f.Tag.Get("default"), f.Tag.Get("doc")})
		return nil
	})
	return append(out, extra...)
}

// each visits the fields that are variables.
func each(v reflect.Value, visit func(reflect.StructField, reflect.Value) error) error {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if _, ok := f.Tag.Lookup("env"); ok {
			if err := visit(f, v.Field(i)); err != nil {
				return err
			}
		} else if f.Type.Kind() == reflect.Struct {
			if err := each(v.Field(i), visit); err != nil {
				return err
			}
		}
	}
	return nil
}

// parse fills the fields from the environment and their defaults.
func parse(c *Config, get func(string) string) error {
	return each(reflect.ValueOf(c).Elem(), func(f reflect.StructField, v reflect.Value) error {
		name := f.Tag.Get("env")
		text := strings.TrimSpace(get(name))
		if text == "" {
			text = f.Tag.Get("default")
		}
		if text == "" {
			return nil
		}
		if f.Tag.Get("file") != "" {
			if _, err := os.ReadFile(text); err != nil {
				return &Error{name, quote(text), "the path of a file that can be read"}
			}
		}
		if wants := set(f, v, text); wants != "" {
			return &Error{name, holds(f, text), wants}
		}
		return nil
	})
}

// set parses the text into the field; otherwise it says what fits.
func set(f reflect.StructField, v reflect.Value, text string) (wants string) {
	low, high := f.Tag.Get("min"), f.Tag.Get("max")
	switch v.Interface().(type) {
	case string:
		if all := f.Tag.Get("oneof"); all != "" && !slices.Contains(strings.Split(all, ","), text) {
			return "one of " + strings.ReplaceAll(all, ",", ", ")
		}
		v.SetString(text)
	case bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return "true or false"
		}
		v.SetBool(b)
	case int:
		n, err := strconv.Atoi(text)
		least, _ := strconv.Atoi(low)
		most, _ := strconv.Atoi(high)
		if err != nil || n < least || n > most {
			return fmt.Sprintf("a whole number from %s to %s", low, high)
		}
		v.SetInt(int64(n))
	case time.Duration:
		d, err := time.ParseDuration(text)
		least, _ := time.ParseDuration(low)
		most, _ := time.ParseDuration(high)
		if err != nil || d < least || d > most {
			return fmt.Sprintf("a duration from %s to %s, such as %s", low, high, f.Tag.Get("default"))
		}
		v.SetInt(int64(d))
	case []netip.Prefix:
		var list []netip.Prefix
		for part := range strings.SplitSeq(text, ",") {
			network, ok := parseNetwork(strings.TrimSpace(part))
			if !ok {
				return "networks such as 10.0.0.0/8, or single addresses, separated by commas"
			}
			list = append(list, network)
		}
		v.Set(reflect.ValueOf(list))
	case []string:
		var list []string
		for part := range strings.SplitSeq(text, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
		v.Set(reflect.ValueOf(list))
	}
	return ""
}

// parseNetwork reads a CIDR, or one address as the network of itself alone.
func parseNetwork(text string) (netip.Prefix, bool) {
	if one, err := netip.ParseAddr(text); err == nil {
		one = one.Unmap().WithZone("")
		return netip.PrefixFrom(one, one.BitLen()), true
	}
	network, err := netip.ParsePrefix(text)
	return network.Masked(), err == nil
}

func holds(f reflect.StructField, text string) string {
	switch f.Tag.Get("secret") {
	case "url":
		return quote(maskURL(text))
	case "":
		return quote(text)
	}
	return "is set (not shown)"
}

func quote(text string) string { return "is " + strconv.Quote(text) }

// maskURL hides what is between "//" and the last "@" after the user's name, also where the text is no proper URL.
func maskURL(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		if strings.ContainsAny(text, "@") {
			return "…"
		}
		return text
	}
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, _, _ := strings.Cut(rest[:at], ":")
		rest = user + ":…" + rest[at:]
	}
	if base, query, ok := strings.Cut(rest, "?"); ok {
		if values, err := url.ParseQuery(query); err != nil || values.Has("password") {
			rest = base + "?…"
		}
	}
	return scheme + "://" + rest
}
