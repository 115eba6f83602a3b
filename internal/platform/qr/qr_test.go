package qr

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/links"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

func TestLinks(t *testing.T) {
	home := testenv.Embedded(t)
	mine, gone, broken := models.NewID(), models.NewID(), models.NewID()
	content := func(_ context.Context, id models.ID) (string, bool, error) {
		if id == broken {
			return "", false, errors.New("down")
		}
		return "https://pay.example/" + id.String(), id == mine, nil
	}
	base := func() string { return "https://pay.example" }
	signer, err := links.New(t.Context(), home.DB, base)
	if err != nil {
		t.Fatal(err)
	}
	p := New(signer, content)
	second, err := links.New(t.Context(), home.DB, base) // another instance serves what the first one signed
	if err != nil {
		t.Fatal(err)
	}
	other := New(second, content)
	link := p.URL(mine)
	get := func(p *Pictures, link string) (int, string, string) {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", strings.TrimPrefix(link, "https://pay.example"), nil))
		return w.Code, w.Header().Get("Content-Type"), w.Body.String()
	}
	code, kind, body := get(other, link)
	if code != 200 || kind != "image/svg+xml" || xml.Unmarshal([]byte(body), new(struct{ XMLName xml.Name })) != nil {
		t.Fatal(code, kind, body)
	}
	for name, c := range map[string]struct {
		link string
		want int
	}{
		"another payment's": {strings.Replace(link, mine.Encode("pay"), gone.Encode("pay"), 1), 403},
		"longer":            {strings.Replace(link, "until=", "until=9", 1), 403},
		"no signature":      {strings.Split(link, "&")[0], 403},
		"bare":              {"https://pay.example/qr/" + mine.Encode("pay"), 403},
		"never had a code":  {p.URL(gone), 404},
		"database down":     {p.URL(broken), 503},
	} {
		if code, _, _ := get(p, c.link); code != c.want {
			t.Errorf("%s: %d", name, code)
		}
	}
	later := New(signer.At(func() time.Time { return time.Now().Add(links.Validity + time.Minute) }), content)
	if code, _, _ := get(later, link); code != 403 {
		t.Error("it works for ever:", code)
	}
}

func TestTooLong(t *testing.T) {
	if _, err := SVG(strings.Repeat("x", 5000)); err == nil {
		t.Fatal("a QR code holds less")
	}
}
