package unionpay

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

var plainName = regexp.MustCompile(`^[A-Za-z0-9_.]+$`)

// unequivocal reports why a message could be another merchant's, cut elsewhere: one key of UnionPay signs for all, and k=v&k=v has no
// quotes. Where every & parts two fields, there is but one way to cut. Only what stands in braces may have & too (reserved={k=v&k=v}), and
// then nothing in it is called as a field of the message, so that no merId is hidden there.
func unequivocal(f fields) error {
	top := make(map[string]bool, len(f))
	for name := range f {
		folded := strings.ToLower(name)
		if !plainName.MatchString(name) || top[folded] {
			return fmt.Errorf("the name %.40q, strange or there twice", name)
		}
		top[folded] = true
	}
	for _, value := range f {
		if !strings.Contains(value, "&") {
			continue
		}
		if !strings.HasPrefix(value, "{") || !strings.HasSuffix(value, "}") {
			return errors.New("a value with & in it")
		}
		for _, part := range strings.Split(value, "&") {
			name, _, _ := strings.Cut(strings.TrimLeft(part, "{"), "=")
			if top[strings.ToLower(name)] {
				return errors.New("a field within another that has its name from outside")
			}
		}
	}
	return nil
}
