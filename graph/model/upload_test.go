package model

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

func file(name, text string) graphql.Upload {
	return graphql.Upload{File: strings.NewReader(text), Filename: name, ContentType: "text/plain", Size: int64(len(text))}
}

func TestUpload(t *testing.T) {
	u, err := UnmarshalUpload(file("a.txt", "hello"))
	if err != nil || u.Filename != "a.txt" || u.ContentType != "text/plain" || u.Size != 5 || u.SHA256 != sha256.Sum256([]byte("hello")) {
		t.Fatalf("%+v %v", u, err)
	}
	for range 2 { // from its beginning, each time
		if text, err := io.ReadAll(u.Open()); string(text) != "hello" || err != nil {
			t.Error(text, err)
		}
	}
	for _, bad := range []any{"data:,x", json.Number("1"), nil, true, map[string]any{}, []any{}, graphql.Upload{}, &graphql.Upload{}} {
		var e *gqlerror.Error
		if _, err := UnmarshalUpload(bad); !errors.As(err, &e) || e.Extensions["code"] != CodeBadUserInput {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

// contract §4: a file enters the hash of an input by its content, not by what it is called.
func TestUploadsAreTheirContent(t *testing.T) {
	written := func(name, text string) string {
		u, err := UnmarshalUpload(file(name, text))
		if err != nil {
			t.Fatal(err)
		}
		out, err := json.Marshal(map[string]any{"file": u, "pointer": &u, "list": []Upload{u}})
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if written("a", "x") != written("b", "x") || written("a", "x") == written("a", "y") {
		t.Error(written("a", "x"), written("b", "x"), written("a", "y"))
	}
}
