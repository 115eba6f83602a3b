package seal_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"paydesk/internal/platform/seal"
	"paydesk/internal/platform/testenv"
)

func box(t *testing.T, fill byte) *seal.Box {
	t.Helper()
	b, err := seal.New(bytes.Repeat([]byte{fill}, seal.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSealed(t *testing.T) {
	b := box(t, 1)
	one, two := b.Seal([]byte("secret"), "row", "1"), b.Seal([]byte("secret"), "row", "1")
	if bytes.Equal(one, two) || bytes.Contains(one, []byte("secret")) || len(one) != len("secret")+28 {
		t.Fatalf("%x %x", one, two)
	}
	if plain, err := b.Open(one, "row", "1"); err != nil || string(plain) != "secret" {
		t.Fatal(string(plain), err)
	}
	changed := bytes.Clone(one)
	changed[len(changed)-1] ^= 1
	for name, open := range map[string]func() ([]byte, error){
		"another row":  func() ([]byte, error) { return b.Open(one, "row", "2") },
		"parts moved":  func() ([]byte, error) { return b.Open(one, "row1", "") },
		"another key":  func() ([]byte, error) { return box(t, 2).Open(one, "row", "1") },
		"changed":      func() ([]byte, error) { return b.Open(changed, "row", "1") },
		"cut":          func() ([]byte, error) { return b.Open(one[:10], "row", "1") },
		"nothing":      func() ([]byte, error) { return b.Open(nil, "row", "1") },
		"not any more": func() ([]byte, error) { return b.Open(two[1:], "row", "1") },
	} {
		if plain, err := open(); !errors.Is(err, seal.ErrSealed) || plain != nil {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
	}
}

func TestHash(t *testing.T) {
	b := box(t, 1)
	if !bytes.Equal(b.Hash("a", "bc"), b.Hash("a", "bc")) || len(b.Hash()) != 32 {
		t.Error("not the same")
	}
	if bytes.Equal(b.Hash("a", "bc"), b.Hash("ab", "c")) || bytes.Equal(b.Hash("a"), box(t, 2).Hash("a")) {
		t.Error("the same")
	}
}

// Without a configured key all instances of a database share one; with one they have that.
func TestLoad(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		load := func(configured string) *seal.Box {
			b, err := seal.Load(t.Context(), home.DB, configured)
			if err != nil {
				t.Fatal(err)
			}
			return b
		}
		sealed := load("").Seal([]byte("x"), "p")
		if plain, err := load("").Open(sealed, "p"); err != nil || string(plain) != "x" {
			t.Fatal(err)
		}
		if _, err := load("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").Open(sealed, "p"); !errors.Is(err, seal.ErrSealed) {
			t.Fatal(err)
		}
		for _, wrong := range []string{"s3cret!", "czNjcmV0"} {
			if _, err := seal.Load(t.Context(), home.DB, wrong); err == nil || strings.Contains(err.Error(), wrong) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
	})
}
