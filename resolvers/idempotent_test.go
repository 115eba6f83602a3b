package resolvers

import (
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"

	"paydesk/graph/model"
)

// The input of a mutation that takes files, as gqlgen makes it.
type filesInput struct {
	IdempotencyKey string
	Receipt        *model.Upload
	More           []model.Upload
	Note           *string
}

// contract §4: the same input is the same content, whatever the file is called this time; another content is another input.
func TestFilesEnterTheHashByContent(t *testing.T) {
	read := func(name, text string) model.Upload {
		u, err := model.UnmarshalUpload(graphql.Upload{File: strings.NewReader(text), Filename: name, ContentType: name, Size: int64(len(text))})
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	hash := func(in filesInput) [32]byte {
		h, err := inputHash(in)
		if err != nil {
			t.Fatal(err)
		}
		return h
	}
	a, renamed, other := read("a.pdf", "one"), read("b.pdf", "one"), read("a.pdf", "two")
	note := "x"
	first := hash(filesInput{IdempotencyKey: "k", Receipt: &a, More: []model.Upload{a, other}})
	if first != hash(filesInput{IdempotencyKey: "k", Receipt: &renamed, More: []model.Upload{renamed, other}}) {
		t.Error("a file under another name is another input")
	}
	for name, in := range map[string]filesInput{
		"another content": {IdempotencyKey: "k", Receipt: &other, More: []model.Upload{a, other}},
		"another order":   {IdempotencyKey: "k", Receipt: &a, More: []model.Upload{other, a}},
		"no file":         {IdempotencyKey: "k", More: []model.Upload{a, other}},
		"a note":          {IdempotencyKey: "k", Receipt: &a, More: []model.Upload{a, other}, Note: &note},
	} {
		if hash(in) == first {
			t.Error(name, "is the same input")
		}
	}
}
