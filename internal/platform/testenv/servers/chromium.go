package servers

import (
	"errors"
	"os"
)

// Chromium is the path of a Chromium or Chrome for browser tests: PAYDESK_TEST_CHROMIUM, else what is on the machine,
// else installed by apt when root.
func Chromium() (string, error) {
	if path := os.Getenv("PAYDESK_TEST_CHROMIUM"); path != "" {
		return path, nil
	}
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}
	if path := find(names...); path != "" {
		return path, nil
	}
	if err := Install("chromium"); err != nil {
		return "", err
	}
	if path := find(names...); path != "" {
		return path, nil
	}
	return "", errors.New("chromium was installed but cannot be found")
}
