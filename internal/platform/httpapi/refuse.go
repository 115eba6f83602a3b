package httpapi

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/vektah/gqlparser/v2/gqlerror"

	"paydesk/internal/platform/telemetry"
)

// Codes of refusals (contract §2).
const (
	codeUnauthenticated  = "UNAUTHENTICATED"
	codeForbidden        = "FORBIDDEN"
	codeBadInput         = "BAD_USER_INPUT"
	codeValidationFailed = "GRAPHQL_VALIDATION_FAILED"
	codeTooComplex       = "COMPLEXITY_LIMIT_EXCEEDED"
	codeNotPersisted     = "PERSISTED_QUERY_NOT_FOUND"
	codeUnavailable      = "UNAVAILABLE"
	codeInternal         = "INTERNAL"
)

const (
	mediaJSON     = "application/json"
	mediaResponse = "application/graphql-response+json"
	mediaEvents   = "text/event-stream"
	utf8          = "; charset=utf-8"
)

// failure is an error of our own making, with its code.
func failure(code, message string) *gqlerror.Error {
	return &gqlerror.Error{Message: message, Extensions: map[string]any{"code": code}}
}

// refuse answers a request that never became an operation: a JSON body in the shape of GraphQL errors, without data. It
// never repeats what the client sent.
func refuse(w http.ResponseWriter, r *http.Request, status int, code, message string) {
	e := failure(code, message)
	seen := telemetry.RequestOf(r.Context())
	seen.Status, seen.Code = status, code
	if code == codeInternal {
		e.Extensions["requestId"] = seen.ID
	}
	body, err := json.Marshal(map[string]any{"errors": gqlerror.List{e}})
	if err != nil { // texts and numbers of our own
		panic(err)
	}
	h := w.Header()
	kind := mediaJSON
	if negotiate(accepted(r)) == mediaResponse { // a refusal is a GraphQL response too
		kind = mediaResponse
	}
	h.Set("Content-Type", kind+utf8)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// refuseMethod is 405 with the methods that are allowed (RFC 9110 §15.5.6).
func refuseMethod(w http.ResponseWriter, r *http.Request, allow, message string) {
	w.Header().Set("Allow", allow)
	refuse(w, r, http.StatusMethodNotAllowed, codeBadInput, message)
}
