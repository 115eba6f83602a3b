package blob

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/links"
	"paydesk/internal/platform/testenv"
	"paydesk/models"
)

var now = time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)

func content(size int) []byte {
	b := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(size)})
	_, _ = r.Read(b)
	return b
}

func put(t *testing.T, s *Store, account models.ID, b []byte, expires *time.Time) models.File {
	t.Helper()
	f, err := s.Put(t.Context(), models.File{AccountID: account, ID: models.NewID(), Name: "付款申请 1.pdf", ContentType: "application/pdf", Size: int64(len(b)), ExpiresAt: expires, CreatedAt: now}, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What was put comes back byte for byte, also to another instance, whatever its size in parts.
func TestContent(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s, other, account := New(home.DB), New(home.Open(t)), models.NewID()
		for _, size := range []int{0, 1, 60_000, partSize - 1, partSize, partSize + 1, 2*partSize + partSize/2, 10 << 20} {
			want := content(size)
			put := put(t, s, account, want, nil)
			f, found, err := other.ByID(t.Context(), account, put.ID)
			if err != nil || !found {
				t.Fatal(found, err)
			}
			got, err := io.ReadAll(other.Open(t.Context(), f))
			sum := sha256.Sum256(want)
			if err != nil || !bytes.Equal(got, want) || f.Size != int64(size) || !bytes.Equal(f.Hash, sum[:]) || f.Name != put.Name {
				t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
			}
		}
	})
}

func TestNobodyElsesFile(t *testing.T) {
	s := New(testenv.Embedded(t).DB)
	f := put(t, s, models.NewID(), content(10), nil)
	foreign := f
	foreign.AccountID = models.NewID()
	if _, found, err := s.ByID(t.Context(), foreign.AccountID, f.ID); found || err != nil {
		t.Error(found, err)
	}
	if b, err := io.ReadAll(s.Open(t.Context(), foreign)); err == nil || len(b) > 0 {
		t.Error("read:", b, err)
	}
}

// A file is there with what it belongs to, or not at all.
func TestPutIsUndoneWithItsTransaction(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s, failed := New(home.DB), errors.New("no")
		var f models.File
		err := home.DB.InTx(t.Context(), func(ctx context.Context) (err error) {
			f, err = s.Put(ctx, models.File{AccountID: models.NewID(), ID: models.NewID(), Size: 3, CreatedAt: now}, strings.NewReader("abc"))
			return errors.Join(err, failed)
		})
		if !errors.Is(err, failed) {
			t.Fatal(err)
		}
		if _, found, err := s.ByID(t.Context(), f.AccountID, f.ID); found || err != nil {
			t.Error(found, err)
		}
		if b, _ := io.ReadAll(s.Open(t.Context(), f)); len(b) > 0 {
			t.Errorf("its content stayed: %q", b)
		}
	})
}

func TestSweep(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		s, account := New(home.DB), models.NewID()
		soon, later := now.Add(time.Hour), now.Add(time.Hour+time.Microsecond)
		first, second, third := put(t, s, account, content(3), &soon), put(t, s, account, content(3), &soon), put(t, s, account, content(3), &later)
		kept := put(t, s, account, content(3), nil)
		for _, round := range []struct {
			at    time.Time
			limit int
			want  int
		}{{now, 10, 0}, {soon, 1, 1}, {soon, 10, 1}, {soon, 10, 0}} {
			if n, err := s.Sweep(t.Context(), round.at, round.limit); n != round.want || err != nil {
				t.Fatalf("%+v: %d, %v", round, n, err)
			}
		}
		for i, f := range []models.File{first, second, third, kept} {
			if _, found, err := s.ByID(t.Context(), account, f.ID); err != nil || found != (i > 1) {
				t.Error(i, found, err)
			}
			if b, _ := io.ReadAll(s.Open(t.Context(), f)); (len(b) > 0) != (i > 1) {
				t.Errorf("%d: %d bytes", i, len(b))
			}
		}
	})
}

func TestServe(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		signer, err := links.New(t.Context(), home.DB, func() string { return "" })
		if err != nil {
			t.Fatal(err)
		}
		s := New(home.DB)
		files, want := NewFiles(s, signer), content(partSize+1000)
		f := put(t, s, models.NewID(), want, nil)
		link := files.URL(f)
		get := func(method, link string, header ...string) *http.Response {
			r := httptest.NewRequest(method, link, nil)
			for i := 0; i < len(header); i += 2 {
				r.Header.Set(header[i], header[i+1])
			}
			w := httptest.NewRecorder()
			files.ServeHTTP(w, r)
			return w.Result()
		}
		res := get("GET", link)
		body, err := io.ReadAll(res.Body)
		if err != nil || res.StatusCode != 200 || !bytes.Equal(body, want) || res.ContentLength != f.Size {
			t.Fatal(res.Status, len(body), err)
		}
		for name, value := range map[string]string{
			"Content-Type": "application/pdf", "X-Content-Type-Options": "nosniff", "Cache-Control": "private, no-store", "Content-Security-Policy": "default-src 'none'; sandbox",
			"Content-Disposition": "attachment; filename*=utf-8''%E4%BB%98%E6%AC%BE%E7%94%B3%E8%AF%B7%201.pdf", "Accept-Ranges": "bytes",
		} {
			if got := res.Header.Get(name); got != value {
				t.Errorf("%s: %q, want %q", name, got, value)
			}
		}
		if res = get("HEAD", link); res.StatusCode != 200 || res.ContentLength != f.Size {
			t.Error("HEAD:", res.Status, res.ContentLength)
		}
		res = get("GET", link, "Range", "bytes=1048570-1048585") // over the edge of two parts
		if body, _ = io.ReadAll(res.Body); res.StatusCode != 206 || !bytes.Equal(body, want[1048570:1048586]) {
			t.Error("range:", res.Status, len(body))
		}
		if res = get("GET", link, "Range", "bytes=9999999-"); res.StatusCode != 416 {
			t.Error("a range beyond the end:", res.Status)
		}
		if res = get("GET", link, "If-None-Match", get("GET", link).Header.Get("ETag")); res.StatusCode != 304 {
			t.Error("If-None-Match:", res.Status)
		}
		foreign := f
		foreign.AccountID = models.NewID()
		for name, c := range map[string]struct {
			link string
			want int
		}{
			"no such file":          {files.URL(foreign), 404}, // rightly signed
			"another account's":     {strings.Replace(link, f.AccountID.Encode("acc"), foreign.AccountID.Encode("acc"), 1), 403},
			"tampered":              {link + "x", 403},
			"bare":                  {strings.Split(link, "?")[0], 403},
			"signed but not a file": {signer.URL(Prefix + "x"), 404},
		} {
			if res := get("GET", c.link); res.StatusCode != c.want {
				t.Errorf("%s: %s", name, res.Status)
			}
		}
	})
}
