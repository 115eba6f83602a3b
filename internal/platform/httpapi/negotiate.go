package httpapi

import (
	"mime"
	"net/http"
	"strconv"
	"strings"
)

// negotiate chooses the media type of the answer from an Accept header (RFC 9110 §12.5.1, GraphQL over HTTP): JSON where
// it is equally welcome, "" where nothing that we speak is. Events are chosen only where they are named.
func negotiate(accept string) string {
	switch accept { // what nearly every client sends
	case "", "*/*", mediaJSON:
		return mediaJSON
	case mediaResponse:
		return mediaResponse
	}
	best, bestQ := "", 0.0
	for part := range strings.SplitSeq(accept, ",") {
		kind, q := acceptable(part)
		// The response type wins a tie: whoever names it knows the newer protocol.
		if kind != "" && q > 0 && (q > bestQ || q == bestQ && kind == mediaResponse && best == mediaJSON) {
			best, bestQ = kind, q
		}
	}
	return best
}

// accepted is the Accept header, whose list may come in several lines (RFC 9110 §5.3).
func accepted(r *http.Request) string {
	if lines := r.Header["Accept"]; len(lines) > 1 {
		return strings.Join(lines, ",")
	}
	return r.Header.Get("Accept")
}

// acceptable reads one member of an Accept header: which of our types it means, and how much.
func acceptable(part string) (kind string, q float64) {
	media, params, err := mime.ParseMediaType(strings.TrimSpace(part))
	if err != nil {
		return "", 0
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return "", 0
	}
	q = 1
	if text, ok := params["q"]; ok {
		if q, err = strconv.ParseFloat(text, 64); err != nil {
			return "", 0
		}
	}
	switch media {
	case "*/*", "application/*", mediaJSON:
		return mediaJSON, q
	case mediaResponse, mediaEvents:
		return media, q
	}
	return "", 0
}

// isJSON reports whether a Content-Type is application/json in UTF-8, the one that bodies may have.
func isJSON(contentType string) bool {
	if contentType == mediaJSON || contentType == "application/json; charset=utf-8" {
		return true
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || media != mediaJSON {
		return false
	}
	charset, ok := params["charset"]
	return !ok || strings.EqualFold(charset, "utf-8")
}

// plain reports whether a body is sent as it is. A packed one is refused: its size says nothing of what it unfolds to. ok is
// false where the request has been answered, with what would do (RFC 9110 §15.5.16).
func plain(w http.ResponseWriter, r *http.Request) (ok bool) {
	for _, coding := range r.Header.Values("Content-Encoding") {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			w.Header().Set("Accept-Encoding", "identity")
			refuse(w, r, http.StatusUnsupportedMediaType, codeBadInput, "a body is sent without Content-Encoding")
			return false
		}
	}
	return true
}
