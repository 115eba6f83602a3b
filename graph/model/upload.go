package model

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// Upload is a file of a multipart request. It can be read while the request runs, not after: then its temporary file is gone.
type Upload struct {
	Filename    string // as the client names it, without folders: for people, never for a path
	ContentType string // as the client has it: a claim
	Size        int64  // bytes
	SHA256      [sha256.Size]byte
	content     io.ReaderAt
}

// Open reads the file from its beginning; several may read it at once.
func (u Upload) Open() *io.SectionReader { return io.NewSectionReader(u.content, 0, u.Size) }

// MarshalJSON is what a file counts as in the hash of an input: its content, whatever it is called (contract §4).
func (u Upload) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]string{"sha256": hex.EncodeToString(u.SHA256[:])})
}

// MarshalUpload is never called: a file is an input. gqlgen wants both ways of a scalar.
func MarshalUpload(Upload) graphql.Marshaler { return graphql.Null }

// UnmarshalUpload takes what the transport puts where the map of a multipart request says. Nothing that JSON can hold is a file.
func UnmarshalUpload(v any) (Upload, error) {
	given, ok := v.(graphql.Upload)
	if !ok {
		return Upload{}, badInput("an Upload is a file of a multipart request")
	}
	content, ok := given.File.(io.ReaderAt)
	if !ok {
		return Upload{}, badInput("this file cannot be read")
	}
	u := Upload{Filename: given.Filename, ContentType: given.ContentType, Size: given.Size, content: content}
	if hashed, ok := content.(interface{ Sum256() [sha256.Size]byte }); ok { // the edge hashes while it receives
		u.SHA256 = hashed.Sum256()
		return u, nil
	}
	h := sha256.New()
	if _, err := io.Copy(h, u.Open()); err != nil {
		return Upload{}, badInput("this file cannot be read")
	}
	h.Sum(u.SHA256[:0])
	return u, nil
}
