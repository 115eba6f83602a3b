package blob

import (
	"encoding/hex"
	"mime"
	"net/http"
	"strings"

	"paydesk/internal/platform/links"
	"paydesk/models"
)

// Prefix of the files' paths; what follows is the account's id and the file's.
const Prefix = "/files/"

// Files makes links to files and serves what they lead to.
type Files struct {
	store   *Store
	links   *links.Signer
	guarded http.Handler
}

// NewFiles makes files of a store whose links the signer signs.
func NewFiles(store *Store, signer *links.Signer) *Files {
	f := &Files{store: store, links: signer}
	f.guarded = signer.Guard(http.HandlerFunc(f.file))
	return f
}

// URL is the signed address of a file; it works for ten minutes. Ask for it only on behalf of somebody who may see the file.
func (f *Files) URL(file models.File) string {
	return f.links.URL(Prefix + file.AccountID.Encode(models.PrefixAccount) + "/" + file.ID.Encode(models.PrefixFile))
}

// ServeHTTP answers the file, or the ranges asked for (RFC 9110 §14): 403 where the link is wrong or over, 404 where the file was
// swept away. It is to be saved, not shown in our name, and kept by no cache.
func (f *Files) ServeHTTP(w http.ResponseWriter, r *http.Request) { f.guarded.ServeHTTP(w, r) }

func (f *Files) file(w http.ResponseWriter, r *http.Request) {
	account, id, ok := idsOf(r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	file, found, err := f.store.ByID(r.Context(), account, id)
	switch {
	case err != nil:
		http.Error(w, "temporarily unavailable", http.StatusServiceUnavailable)
		return
	case !found:
		http.NotFound(w, r)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.ContentType)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": file.Name}))
	h.Set("Cache-Control", "private, no-store")
	h.Set("ETag", `"`+hex.EncodeToString(file.Hash)+`"`)
	http.ServeContent(w, r, "", file.CreatedAt, f.store.Open(r.Context(), file))
}

func idsOf(path string) (account, id models.ID, ok bool) {
	first, second, _ := strings.Cut(strings.TrimPrefix(path, Prefix), "/")
	account, err := models.Decode(models.PrefixAccount, first)
	if err != nil {
		return account, id, false
	}
	id, err = models.Decode(models.PrefixFile, second)
	return account, id, err == nil
}
