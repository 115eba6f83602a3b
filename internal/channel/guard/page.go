package guard

import (
	"fmt"
	"net/url"
)

// Page parses the address of a provider's page for a payer's browser; empty is the base that we call ourselves. We never call it, so the
// sandbox's may be wherever browsers reach this process; in production it is judged like any other.
func Page(mode Mode, raw string, base *url.URL) (*url.URL, error) {
	if raw == "" {
		return base, nil
	}
	if mode == Production {
		return BaseURL(mode, raw)
	}
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return nil, fmt.Errorf("page address %q: an http or https URL without user and password is wanted", raw)
	}
	return u, nil
}
