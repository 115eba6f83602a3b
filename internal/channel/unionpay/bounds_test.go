package unionpay

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"testing"

	"paydesk/models"
)

// A small file that unpacks to something vast is no statement, be it vast in all its parts together only.
func TestFilesAreBounded(t *testing.T) {
	a := adapter(t, models.ChannelUnionPayPersonal)
	for want, parts := range map[string][]int{"": {1 << 20, 1 << 20}, "too long": {maxFile / 2, maxFile/2 + 1}, "too many files in the zip": make([]int, maxParts+1)} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i, size := range parts {
			w, err := z.Create(fmt.Sprintf("INN26112188ZM_%d", i))
			if err != nil {
				t.Fatal(err)
			}
			io.CopyN(w, blanks{}, int64(size))
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := a.lines(b.Bytes(), "2026-11-21", true); fmt.Sprint(err) != want && (err != nil || want != "") {
			t.Errorf("%v: %v", parts[:2], err)
		}
	}
}

// blanks are an empty line.
type blanks struct{}

func (blanks) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
