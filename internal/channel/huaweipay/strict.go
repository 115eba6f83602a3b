package huaweipay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// One key of Huawei Pay signs for all merchants, and the text that it signs has no quotes: who is a merchant too could cut a letter to
// himself elsewhere, so that the same text names us. A callback is therefore taken only where its text can be cut in one way: every & parts
// two fields, and nothing within a field is called as a field of the callback itself.

var plainName = regexp.MustCompile(`^[A-Za-z0-9_.]+$`)

// unequivocal reports why a callback could be another one's text; nil where it cannot.
func unequivocal(body []byte, fields map[string]any) error {
	if err := uniqueNames(json.NewDecoder(strings.NewReader(string(body)))); err != nil {
		return err
	}
	top := make(map[string]bool, len(fields))
	for name := range fields {
		top[strings.ToLower(name)] = true
	}
	for _, v := range fields {
		if err := separate(v, top); err != nil {
			return err
		}
	}
	return nil
}

// separate judges a field's value.
func separate(v any, top map[string]bool) error {
	switch v := v.(type) {
	case string:
		if strings.Contains(v, "&") {
			return errors.New("a value with & in it")
		}
	case []any:
		for _, e := range v {
			if err := separate(e, top); err != nil {
				return err
			}
		}
	case map[string]any:
		for name, e := range v {
			if top[strings.ToLower(name)] {
				return errors.New("a field within another has its name from outside")
			}
			if err := separate(e, top); err != nil {
				return err
			}
		}
	}
	return nil
}

// uniqueNames walks through JSON: the names of an object are plain, and no two are equal but for their case.
func uniqueNames(d *json.Decoder) error {
	var within []map[string]bool // of each open object its names; of a list nil
	name := false                // what comes next is a name
	for {
		t, err := d.Token()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return errors.New("not JSON")
		}
		switch text, isText := t.(string); {
		case t == json.Delim('{'):
			within = append(within, map[string]bool{})
		case t == json.Delim('['):
			within = append(within, nil)
		case t == json.Delim('}'), t == json.Delim(']'):
			within = within[:len(within)-1]
		case name && isText:
			names, folded := within[len(within)-1], strings.ToLower(text)
			if !plainName.MatchString(text) || names[folded] {
				return fmt.Errorf("the name %.40q is strange, or there twice", text)
			}
			names[folded], name = true, false
			continue
		}
		name = len(within) > 0 && within[len(within)-1] != nil
	}
}
