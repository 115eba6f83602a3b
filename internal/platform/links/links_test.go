package links

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

func TestLinks(t *testing.T) {
	home := testenv.Embedded(t)
	base := func() string { return "https://pay.example" }
	signer, err := New(t.Context(), home.DB, base)
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(t.Context(), home.DB, base) // another instance, or the same one after a restart
	if err != nil {
		t.Fatal(err)
	}
	link := signer.URL("/files/a")
	get := func(s *Signer, link string) (int, http.Header) {
		w := httptest.NewRecorder()
		s.Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })).
			ServeHTTP(w, httptest.NewRequest("GET", strings.TrimPrefix(link, "https://pay.example"), nil))
		return w.Code, w.Header()
	}
	code, header := get(other, link)
	if code != 200 || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Content-Security-Policy") != "default-src 'none'; sandbox" {
		t.Fatal(code, header)
	}
	until := link[strings.Index(link, "until=")+6 : strings.Index(link, "&")]
	for name, wrong := range map[string]string{
		"another path":       strings.Replace(link, "/files/a", "/files/b", 1),
		"longer":             strings.Replace(link, "until=", "until=9", 1),
		"another's end":      strings.Replace(link, until, until+"0", 1),
		"no signature":       strings.Split(link, "&")[0],
		"an empty signature": strings.Split(link, "&")[0] + "&signature=",
		"half a signature":   link[:len(link)-20],
		"more of it":         link + "A",
		"bare":               "https://pay.example/files/a",
		"no number":          strings.Replace(link, until, "soon", 1),
		"two ends":           strings.Replace(link, "?", "?until=99999999999&", 1),
	} {
		if code, _ := get(signer, wrong); code != 403 {
			t.Errorf("%s: %d", name, code)
		}
	}
	for after, want := range map[time.Duration]int{Validity - 2*time.Second: 200, Validity + 2*time.Second: 403} {
		if code, _ := get(signer.At(func() time.Time { return time.Now().Add(after) }), link); code != want {
			t.Errorf("after %v: %d, want %d", after, code, want)
		}
	}
}
