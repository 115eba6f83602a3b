package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
)

const (
	mediaForm               = "multipart/form-data"
	partOperations, partMap = "operations", "map"

	maxBoundary    = 70       // RFC 2046 §5.1.1
	maxPartHeaders = 16 << 10 // bytes between the end of one part and the content of the next
	maxFilePaths   = 100      // of a map
	maxFilePath    = 256      // bytes
	maxFileKey     = 64       // bytes of a part's name
)

type formKey struct{}

// isForm reports whether a Content-Type is the multipart one.
func isForm(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err == nil && media == mediaForm
}

// readForm reads a multipart request (GraphQL multipart request specification): operations, map, then the files, whose places in the
// variables they take. ok is false where the request has been answered. done removes the files, once nobody reads them any more.
func (a *API) readForm(ctx context.Context, w http.ResponseWriter, r *http.Request) (_ context.Context, p *graphql.RawParams, done func(), ok bool) {
	limit := int64(a.o.Limits.Multipart)
	if r.ContentLength > limit {
		w.Header().Set("Connection", "close") // the rest is not worth reading
		refuse(w, r, http.StatusRequestEntityTooLarge, codeBadInput, "the body is too large")
		return nil, nil, func() {}, false
	}
	who := holder(ctx, a.clientAddress(r))
	if !a.uploading.take(who) {
		w.Header().Set("Connection", "close")
		a.refuseLimited(w, r.WithContext(ctx), rateLimited("too many uploads at once", uploadSeconds))
		return nil, nil, func() {}, false
	}
	a.mayUpload(w)
	f := &form{limits: a.o.Limits, spool: a.spool, ration: a.ration, leave: func() { a.uploading.leave(who) }}
	if p, err := f.read(r.Header.Get("Content-Type"), http.MaxBytesReader(w, r.Body, limit)); err == nil {
		for _, x := range f.files {
			a.metrics.uploaded(int64(x.size))
		}
		return context.WithValue(ctx, formKey{}, true), p, f.done, true
	} else {
		f.done()
		if errors.Is(err, errNotKept) {
			a.o.Log.ErrorContext(ctx, "an upload could not be kept", "err", err)
		}
		refuseForm(w, r, err)
	}
	return nil, nil, func() {}, false
}

// mayUpload gives a request the time of an upload in place of a body's; what comes after keeps the time it has.
func (a *API) mayUpload(w http.ResponseWriter) {
	t, rc := a.o.Timeouts, http.NewResponseController(w)
	_ = rc.SetReadDeadline(now().Add(t.UploadTimeout))
	_ = rc.SetWriteDeadline(now().Add(t.UploadTimeout + t.OperationTimeout + t.WriteTimeout))
}

const (
	// uploadShare: by as many users at least the room for files can only be taken.
	uploadShare = 8
	// uploadSeconds is when an upload may be over that another waits for.
	uploadSeconds = 5
)

// uploadsAtOnce of one user, or one address where nobody is signed in: its share of the room.
func uploadsAtOnce(l Limits) int { return max(1, l.Uploads/(uploadShare*l.Multipart)) }

func refuseForm(w http.ResponseWriter, r *http.Request, err error) {
	var told *formError
	w.Header().Set("Connection", "close") // megabytes may still be on their way
	switch {
	case errors.As(err, &told):
		refuse(w, r, told.status, codeBadInput, told.text)
	case errors.Is(err, errSpoolFull), errors.Is(err, errNotKept):
		w.Header().Set("Retry-After", "5")
		refuse(w, r, http.StatusServiceUnavailable, codeUnavailable, "files cannot be taken now: try again later")
	default:
		refuseBody(w, r, err)
	}
}

// formError is what is wrong with a multipart request. Its text never repeats more than a path, and that cleaned.
type formError struct {
	status int
	text   string
}

func (e *formError) Error() string { return e.text }

func badForm(format string, args ...any) error {
	return &formError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func tooLarge(format string, args ...any) error {
	return &formError{http.StatusRequestEntityTooLarge, fmt.Sprintf(format, args...)}
}

// form is a multipart request that is being read.
type form struct {
	limits Limits
	spool  *spool
	ration func(io.Reader) *ration
	leave  func() // its place among the user's uploads
	gate   *gate
	parts  *multipart.Reader
	places map[string][]place // of the files that are still to come, by the names of their parts
	files  []*file
}

// done removes the files, and makes room.
func (f *form) done() {
	for _, x := range f.files {
		x.remove()
	}
	f.leave()
}

func (f *form) read(contentType string, body io.Reader) (*graphql.RawParams, error) {
	_, params, err := mime.ParseMediaType(contentType)
	boundary := params["boundary"]
	if err != nil || boundary == "" || len(boundary) > maxBoundary {
		return nil, badForm("multipart/form-data wants a boundary of 1 to %d characters", maxBoundary)
	}
	f.gate = &gate{r: body}
	f.parts = multipart.NewReader(f.gate, boundary)
	text, err := f.text(partOperations)
	if err != nil {
		return nil, err
	}
	p, problem := decode(text)
	if problem != "" {
		return nil, badForm("operations: %s", problem)
	}
	if text, err = f.text(partMap); err != nil {
		return nil, err
	}
	if err = f.plan(text, p.Variables); err != nil {
		return nil, err
	}
	for {
		part, err := f.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err = f.receive(part); err != nil {
			return nil, err
		}
	}
	for name, places := range f.places {
		return nil, badForm("the file %s for %s is missing", tellable(name), tellable(places[0].path))
	}
	return p, f.gate.ended(boundary)
}

// next is the next part, io.EOF after the last.
func (f *form) next() (*multipart.Part, error) {
	f.gate.left = maxPartHeaders
	part, err := f.parts.NextRawPart() // raw: a file is what was sent
	f.gate.left = math.MaxInt
	if err != nil && err != io.EOF && f.gate.shut {
		return nil, badForm("the headers of a part are too long")
	}
	return part, err
}

// text reads the part that has to come now.
func (f *form) text(name string) ([]byte, error) {
	part, err := f.next()
	if err == io.EOF || err == nil && part.FormName() != name {
		return nil, badForm("the parts of a multipart request are operations, map, then the files: %s is missing here", name)
	}
	if err != nil {
		return nil, err
	}
	body := f.ration(io.LimitReader(part, int64(f.limits.Body)+1))
	defer body.giveBack()
	text, err := io.ReadAll(body)
	if err == nil && len(text) > f.limits.Body {
		err = tooLarge("%s may have %d bytes", name, f.limits.Body)
	}
	return text, err
}

// receive stores a file and puts it where the map says.
func (f *form) receive(part *multipart.Part) error {
	name := part.FormName()
	places, ok := f.places[name]
	if !ok || name == partOperations || name == partMap {
		return badForm("the part %s is not in the map, or comes twice", tellable(name))
	}
	delete(f.places, name)
	x, err := f.spool.receive(part, f.limits.File)
	f.files = append(f.files, x)
	if errors.Is(err, errFileTooLarge) {
		return tooLarge("%s: a file may have %d bytes", tellable(places[0].path), f.limits.File)
	}
	if err != nil {
		return err
	}
	for _, p := range places { // each has a reader of its own
		p.set(graphql.Upload{File: x.open(), Filename: fileName(part.FileName()), Size: int64(x.size), ContentType: fileType(part.Header.Get("Content-Type"))})
	}
	return nil
}

// plan reads the map: which part goes where.
func (f *form) plan(text []byte, variables map[string]any) error {
	var byName map[string][]string
	if !isText(text) || json.Unmarshal(text, &byName) != nil || byName == nil {
		return badForm("map must be an object of lists of paths")
	}
	if len(scanJSON(text).names) != len(byName) {
		return badForm("map: a file is there twice")
	}
	if len(byName) > f.limits.Files {
		return tooLarge("a request may have %d files", f.limits.Files)
	}
	f.places = make(map[string][]place, len(byName))
	taken := map[string]bool{}
	for name, paths := range byName {
		if name == "" || len(name) > maxFileKey || len(paths) == 0 {
			return badForm("map: a file has a name of 1 to %d bytes and at least one path", maxFileKey)
		}
		for _, path := range paths {
			at, problem := locate(variables, path)
			switch {
			case problem != "":
				return badForm("map: %s %s", tellable(path), problem)
			case taken[path]:
				return badForm("map: %s is there twice", tellable(path))
			case len(taken) >= maxFilePaths:
				return badForm("map: there may be %d paths", maxFilePaths)
			}
			taken[path] = true
			f.places[name] = append(f.places[name], at)
		}
	}
	return nil
}

// place is where in the variables a file goes: a member of an object or an item of a list.
type place struct {
	path   string
	object map[string]any
	key    string
	list   []any
	index  int
}

func (p place) set(v any) {
	if p.object != nil {
		p.object[p.key] = v
	} else {
		p.list[p.index] = v
	}
}

// locate follows a path such as variables.input.files.0, to where there must be a null.
func locate(variables map[string]any, path string) (at place, problem string) {
	steps := strings.Split(path[:min(len(path), maxFilePath)], ".")
	if len(path) > maxFilePath {
		return at, "is too long"
	}
	if steps[0] != "variables" || len(steps) < 2 {
		return at, "does not begin with variables"
	}
	at.path = path
	var value any = variables
	for _, step := range steps[1:] {
		there := false
		switch in := value.(type) {
		case map[string]any:
			at.object, at.list, at.key = in, nil, step
			value, there = in[step]
		case []any:
			at.object, at.list = nil, in
			if at.index, there = index(step, len(in)); there {
				value = in[at.index]
			}
		}
		if !there {
			return at, "leads nowhere in the variables"
		}
	}
	if value != nil {
		return at, "is not null in the variables"
	}
	return at, ""
}

// index reads the position in a list the one way it can be written.
func index(step string, length int) (int, bool) {
	i, err := strconv.Atoi(step)
	return i, err == nil && i >= 0 && i < length && strconv.Itoa(i) == step
}

// gate lets through no more than left bytes: the multipart reader alone would take megabytes of headers. It remembers how the body ends.
type gate struct {
	r    io.Reader
	left int
	shut bool
	tail []byte
}

const maxTail = 256

var errGate = errors.New("httpapi: too much at once")

func (g *gate) Read(p []byte) (int, error) {
	if g.left <= 0 {
		g.shut = true
		return 0, errGate
	}
	n, err := g.r.Read(p[:min(len(p), g.left)])
	g.left -= n
	g.tail = append(g.tail, p[max(0, n-maxTail):n]...)
	if extra := len(g.tail) - maxTail; extra > 0 {
		g.tail = slices.Delete(g.tail, 0, extra)
	}
	return n, err
}

// ended sees that nothing but white space follows the last boundary.
func (g *gate) ended(boundary string) error {
	g.left = maxTail
	_, err := io.Copy(io.Discard, g)
	if err != nil && !g.shut {
		return err
	}
	if g.shut || !bytes.HasSuffix(bytes.TrimRight(g.tail, " \t\r\n"), []byte("--"+boundary+"--")) {
		return badForm("something follows the last part")
	}
	return nil
}
