//go:build !race

package testenv

import (
	"context"
	"strings"
	"testing"
)

func TestGateStopsStatements(t *testing.T) {
	Each(t, func(t *testing.T, home Home) {
		_, err := home.DB.Exec(context.Background(), "INSERT INTO settings (name, value) VALUES (?, ?) RETURNING name", "a", "b")
		if err == nil || !strings.Contains(err.Error(), "grammar gate") {
			t.Fatal(err)
		}
	})
}
