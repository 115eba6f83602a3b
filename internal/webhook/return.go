package webhook

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"path"

	"paydesk/internal/billing/fault"
	"paydesk/internal/platform/locale"
	"paydesk/internal/platform/messages"
)

// Return is where a channel's page sends the payer's browser, by GET or by a form's POST. What stands in the request proves nothing and
// is not looked at but for the payment's number: the channel is asked, and the browser goes on to the client's returnUrl.
type Return struct {
	Payments interface {
		Returned(ctx context.Context, number string) (to string, err error)
	}
	Log *slog.Logger
}

var returnedPage = template.Must(template.New("returned").Parse(`<!doctype html><html lang="{{.Locale}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}}</title><body style="font:1rem/1.5 system-ui,sans-serif;margin:3rem auto;max-width:32rem;padding:0 1rem"><h1 style="font-size:1.3rem">{{.Title}}</h1>
<p>{{.Text}}</p></body></html>`))

// ServeHTTP answers 303 to where the client wanted the payer, a page of its own, in the browser's language, where it named no address,
// and 404 for a number that is not ours.
func (h Return) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, POST")
		http.Error(w, "GET or POST is wanted", http.StatusMethodNotAllowed)
		return
	}
	to, err := h.Payments.Returned(r.Context(), path.Base(r.URL.Path))
	if errors.Is(err, fault.ErrNotFound) {
		http.NotFound(w, r)
		return
	}
	if err != nil {
		h.Log.ErrorContext(r.Context(), "payer is back, payment not read", "error", err)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Referrer-Policy", "no-referrer")
	if to != "" {
		http.Redirect(w, r, to, http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Vary", "Accept-Language")
	l, _ := locale.Match(r.Header.Get("Accept-Language"))
	_ = returnedPage.Execute(w, struct{ Locale, Title, Text string }{l, messages.Text(l, "return.title", nil), messages.Text(l, "return.text", nil)})
}
