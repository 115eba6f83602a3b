package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
)

// post answers POST /graphql (GraphQL over HTTP, §5.4).
func (a *API) post(w http.ResponseWriter, r *http.Request) {
	ctx, media, ok := a.admit(w, r)
	if !ok {
		return
	}
	if !plain(w, r) {
		return
	}
	var p *graphql.RawParams
	switch kind := r.Header.Get("Content-Type"); {
	case isJSON(kind):
		p, ok = a.readJSON(w, r)
	case isForm(kind):
		var done func()
		ctx, p, done, ok = a.readForm(ctx, w, r)
		defer done()
	default:
		refuse(w, r, http.StatusUnsupportedMediaType, codeBadInput, "a body is "+mediaJSON+", or "+mediaForm+" with files")
		return
	}
	if !ok {
		return
	}
	p.Headers = r.Header
	if media == mediaEvents {
		a.events(ctx, w, r, p)
		return
	}
	ctx, op, errs := a.begin(ctx, p)
	if len(errs) == 0 && op.Operation.Operation == ast.Subscription {
		errs = gqlerror.List{failure(codeBadInput, "a subscription wants Accept: "+mediaEvents+", or a WebSocket")}
	}
	if len(errs) > 0 {
		respond(w, r, media, statusOf(media, errs), a.fail(ctx, errs))
		return
	}
	a.answer(w, r, media, a.execute(ctx, op))
}

// readJSON reads a request that is one JSON object. ok is false where the request has been answered.
func (a *API) readJSON(w http.ResponseWriter, r *http.Request) (p *graphql.RawParams, ok bool) {
	body := getBuffer()
	defer putBuffer(body)
	if !a.readBody(w, r, body) {
		return nil, false
	}
	p, problem := decode(body.Bytes())
	if problem != "" {
		refuse(w, r, http.StatusBadRequest, codeBadInput, problem)
		return nil, false
	}
	return p, true
}

// answer sends what an execution gave. Without data nothing was executed after all: an operation that its guard refused.
func (a *API) answer(w http.ResponseWriter, r *http.Request, media string, resp *graphql.Response) {
	status := http.StatusOK
	if len(resp.Data) == 0 {
		status = statusOf(media, resp.Errors)
	}
	respond(w, r, media, status, resp)
}

// get answers GET /graphql: queries alone (GraphQL over HTTP, §5.3).
func (a *API) get(w http.ResponseWriter, r *http.Request) {
	ctx, media, ok := a.admit(w, r)
	if !ok {
		return
	}
	p, problem := parameters(r.URL.RawQuery, a.o.Limits.Body)
	if problem != "" {
		refuse(w, r, http.StatusBadRequest, codeBadInput, problem)
		return
	}
	p.Headers = r.Header
	if media == mediaEvents {
		if a.mutates(ctx, p) {
			refuseMethod(w, r, "POST", "a mutation wants POST")
			return
		}
		a.events(ctx, w, r, p)
		return
	}
	ctx, op, errs := a.begin(ctx, p)
	switch {
	case len(errs) > 0:
		respond(w, r, media, statusOf(media, errs), a.fail(ctx, errs))
	case op.Operation.Operation != ast.Query:
		refuseMethod(w, r, "POST", "only a query may be a GET")
	default:
		a.answer(w, r, media, a.execute(ctx, op))
	}
}

// mutates: what is asked for is a mutation, as far as can be told before a stream begins.
func (a *API) mutates(ctx context.Context, p *graphql.RawParams) bool {
	ctx, errs := a.docs.prepare(ctx, p)
	if len(errs) > 0 {
		return false
	}
	op := preparedFrom(ctx).doc.Operations.ForName(p.OperationName)
	return op != nil && op.Operation == ast.Mutation
}

// readBody reads at most the limit. ok is false where the request has been answered.
func (a *API) readBody(w http.ResponseWriter, r *http.Request, into *bytes.Buffer) (ok bool) {
	limit := int64(a.o.Limits.Body)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // the rest is not worth reading
		refuse(w, r, http.StatusRequestEntityTooLarge, codeBadInput, "the body is too large")
		return false
	}
	body := a.ration(http.MaxBytesReader(w, r.Body, limit))
	defer body.giveBack()
	_, err := into.ReadFrom(body)
	if err != nil {
		refuseBody(w, r, err)
	}
	return err == nil
}

// refuseBody answers a body that could not be read to its end.
func refuseBody(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	var timeout net.Error
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, r, http.StatusRequestEntityTooLarge, codeBadInput, "the body is too large")
	case errors.As(err, &timeout) && timeout.Timeout():
		w.Header().Set("Connection", "close")
		refuse(w, r, http.StatusRequestTimeout, codeBadInput, "the body came too slowly")
	case errors.Is(err, errLargeBodies):
		h := w.Header()
		h.Set("Connection", "close")
		h.Set("Retry-After", "5")
		refuse(w, r, http.StatusServiceUnavailable, codeUnavailable, "large bodies cannot be taken now: try again later")
	default:
		refuse(w, r, http.StatusBadRequest, codeBadInput, "the body could not be read")
	}
}

// request is the body of a request (GraphQL over HTTP, §5.1); other members are ignored.
type request struct {
	Query         string          `json:"query"`
	DocumentID    *string         `json:"documentId"`
	OperationName string          `json:"operationName"`
	Variables     json.RawMessage `json:"variables"`
	Extensions    json.RawMessage `json:"extensions"`
}

// decode reads a body strictly: one JSON object with nothing after it. What is wrong is told without repeating anything of
// the body, for it may hold what must not reach a log or a page.
func decode(body []byte) (p *graphql.RawParams, problem string) {
	if !isText(body) {
		return nil, "the body must be JSON in UTF-8, without a byte order mark"
	}
	var in request
	if err := json.Unmarshal(body, &in); err != nil {
		var kind *json.UnmarshalTypeError
		if errors.As(err, &kind) {
			if kind.Field == "" {
				return nil, "the body must be one JSON object; batches are not served"
			}
			return nil, "query, documentId and operationName are texts"
		}
		return nil, "the body is not JSON"
	}
	shape := scanJSON(body)
	if problem := shape.unbounded(); problem != "" {
		return nil, "the body " + problem
	}
	if problem := shape.misnamed("query", "documentId", "operationName", "variables", "extensions"); problem != "" {
		return nil, problem
	}
	p = &graphql.RawParams{Query: in.Query, OperationName: in.OperationName}
	return p, finish(p, in.DocumentID, in.Variables, in.Extensions)
}

// parameters reads the query string of a GET.
func parameters(raw string, limit int) (p *graphql.RawParams, problem string) {
	if len(raw) > limit {
		return nil, "the address is too long"
	}
	q, err := url.ParseQuery(raw)
	if err != nil {
		return nil, "the query string is malformed"
	}
	for name, values := range q {
		switch name {
		case "query", "documentId", "operationName", "variables", "extensions":
			if len(values) > 1 {
				return nil, name + " is there twice"
			}
			if text := []byte(values[0]); !isText(text) || scanJSON(text).unbounded() != "" && name != "query" {
				return nil, name + " must be UTF-8, of bounded depth"
			}
		}
	}
	p = &graphql.RawParams{Query: q.Get("query"), OperationName: q.Get("operationName")}
	var id *string
	if q.Has("documentId") {
		id = new(q.Get("documentId"))
	}
	return p, finish(p, id, json.RawMessage(q.Get("variables")), json.RawMessage(q.Get("extensions")))
}

// maxOperationName is a sane length for a name that errors repeat.
const maxOperationName = 256

func finish(p *graphql.RawParams, documentID *string, variables, extensions json.RawMessage) (problem string) {
	if len(p.OperationName) > maxOperationName {
		return "operationName is too long"
	}
	var ok bool
	if p.Variables, ok = object(variables); !ok {
		return "variables must be an object"
	}
	if p.Extensions, ok = object(extensions); !ok {
		return "extensions must be an object"
	}
	if documentID != nil {
		withDocumentID(p, *documentID)
	}
	if p.Query == "" && documentID == nil && p.Extensions["persistedQuery"] == nil {
		return "query is missing"
	}
	return ""
}

// object reads a JSON object with its numbers as they were written, null and nothing as nil.
func object(raw json.RawMessage) (m map[string]any, ok bool) {
	if len(raw) == 0 || string(raw) == "null" || string(raw) == "{}" {
		return nil, true
	}
	return decodeObject(raw)
}

func decodeObject(raw json.RawMessage) (m map[string]any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		return nil, false
	}
	_, err := d.Token()
	return m, err == io.EOF
}
