package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// part of a multipart body; a file where it has a file's name.
type part struct{ name, file, kind, text string }

func ops(text string) part    { return part{name: "operations", text: text} }
func mapped(text string) part { return part{name: "map", text: text} }
func upload(name, text string) part {
	return part{name: name, file: name + ".txt", kind: "text/plain; charset=utf-8", text: text}
}

// boundary is long enough to be no content's.
const boundary = "----paydesk7MA4YWxk"

func body(parts ...part) string {
	var b strings.Builder
	for _, p := range parts {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q", boundary, p.name)
		if p.file != "" {
			fmt.Fprintf(&b, "; filename=%q", p.file)
		}
		if p.kind != "" {
			fmt.Fprintf(&b, "\r\nContent-Type: %s", p.kind)
		}
		fmt.Fprintf(&b, "\r\n\r\n%s\r\n", p.text)
	}
	return b.String() + "--" + boundary + "--\r\n"
}

func (w world) form(t *testing.T, body string, headers ...string) answer {
	t.Helper()
	return w.send(t, "POST", "/graphql", body, append([]string{"Content-Type", "multipart/form-data; boundary=" + boundary, "Apollo-Require-Preflight", "true"}, headers...)...)
}

const (
	putOne  = `{"query":"mutation($f: Upload!) { put(file: $f) }","variables":{"f":null}}`
	putMany = `{"query":"mutation($f: [Upload!]!) { put(files: $f) }","variables":{"f":[null,null]}}`
	putLine = `{"query":"mutation($l: Line) { put(line: $l) }","variables":{"l":{"amount":"1","file":null,"lines":[{"amount":"2","file":null}]}}}`
	mapOne  = `{"0":["variables.f"]}`
)

func TestMultipart(t *testing.T) {
	w := startEcho(t)
	hash := func(text string) string { sum := sha256.Sum256([]byte(text)); return hex.EncodeToString(sum[:4]) }
	seen := func(name, text string) string {
		return fmt.Sprintf("%s.txt|text/plain|%d|%s|%s", name, len(text), hash(text), text)
	}
	persisted := func(query string) string {
		sum := sha256.Sum256([]byte(query))
		return fmt.Sprintf(`{"query":%q,"variables":{"f":null},"extensions":{"persistedQuery":{"version":1,"sha256Hash":"%x"}}}`, query, sum)
	}
	for name, c := range map[string]struct {
		body string
		want string // the arguments as the resolver gets them
	}{
		"one":             {body(ops(putOne), mapped(mapOne), upload("0", "hello")), `{"file":"` + seen("0", "hello") + `"}`},
		"empty":           {body(ops(putOne), mapped(mapOne), upload("0", "")), `{"file":"` + seen("0", "") + `"}`},
		"two":             {body(ops(putMany), mapped(`{"a":["variables.f.1"],"b":["variables.f.0"]}`), upload("b", "B"), upload("a", "A")), `{"files":["` + seen("b", "B") + `","` + seen("a", "A") + `"]}`},
		"one twice":       {body(ops(putMany), mapped(`{"a":["variables.f.1","variables.f.0"]}`), upload("a", "A")), `{"files":["` + seen("a", "A") + `","` + seen("a", "A") + `"]}`},
		"in an input":     {body(ops(putLine), mapped(`{"x":["variables.l.lines.0.file"]}`), upload("x", "X")), `{"line":{"amount":"1","file":null,"lines":[{"amount":"2","file":"` + seen("x", "X") + `"}]}}`},
		"a single for []": {body(ops(strings.Replace(putMany, "[null,null]", "null", 1)), mapped(mapOne), upload("0", "A")), `{"files":["` + seen("0", "A") + `"]}`},
		"no files":        {body(ops(`{"query":"{ take(n: 1) }"}`), mapped(`{}`)), `{"n":1}`},
		"persisted":       {body(ops(persisted(`mutation($f: Upload!) { put(file: $f) }`)), mapped(mapOne), upload("0", "hello")), `{"file":"` + seen("0", "hello") + `"}`},
		"looks like an end": {body(ops(putOne), mapped(mapOne), upload("0", "\r\n--"+boundary[:10]+"\r\n\r\n--")),
			`{"file":"0.txt|text/plain|20|` + hash("\r\n--"+boundary[:10]+"\r\n\r\n--") + `|\r\n--` + boundary[:10] + `\r\n\r\n--"}`},
		"large": {body(ops(putOne), mapped(mapOne), upload("0", strings.Repeat("x", 40_000))),
			`{"file":"0.txt|text/plain|40000|` + hash(strings.Repeat("x", 40_000)) + `|40000 of \"x\""}`},
	} {
		a := w.form(t, c.body)
		if a.body != `{"data":{"taken":`+c.want+`}}` {
			t.Errorf("%s: %d %s\nwanted %s", name, a.status, a.body, c.want)
		}
	}
	good := body(ops(putOne), mapped(mapOne), upload("0", "hello"))
	if a := w.form(t, good, "Accept", response); a.status != 200 || a.header.Get("Content-Type") != response+"; charset=utf-8" {
		t.Error(a.status, a.header)
	}
	if a := w.form(t, good, "Accept", mediaEvents); !strings.HasPrefix(a.body, ":\n\nevent: next\ndata: {\"data\":{\"taken\":{\"file\":\"0.txt|") {
		t.Error(a.body)
	}
	if a := w.form(t, good, "Apollo-Require-Preflight", "", "Authorization", "Bearer me"); a.status != 200 {
		t.Error("a bearer token counts as preflight:", a.body)
	}
	if a := w.form(t, good, "Apollo-Require-Preflight", ""); a.status != 403 || a.code() != codeForbidden {
		t.Error("a plain form:", a.status, a.body)
	}
	if a := w.form(t, good, "Authorization", "Bearer bad"); a.status != 401 {
		t.Error(a.status, a.body)
	}
	nothingLeft(t, w)
}

// nothingLeft sees that no request holds memory, room or a temporary file.
func nothingLeft(t *testing.T, w world) {
	t.Helper()
	eventually(t, "room is given back", func() bool {
		return w.api.spool.memory.left.Load() == spoolMemory && w.api.spool.total.left.Load() == int64(w.api.o.Limits.Uploads)
	})
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "paydesk-upload-*")); len(left) > 0 {
		t.Error("left behind:", left)
	}
}

// What is wrong is 4xx and names the path; a file's content is never repeated.
func TestMultipartRefusals(t *testing.T) {
	w := startEcho(t)
	file := upload("0", "secret 4242424242424242")
	one := func(m string) string { return body(ops(putOne), mapped(m), file) }
	for name, c := range map[string]struct {
		body   string
		status int
		says   string
	}{
		"wrong path":            {one(`{"0":["variables.nope"]}`), 400, `"variables.nope" leads nowhere`},
		"deeper than there is":  {one(`{"0":["variables.f.x.y"]}`), 400, `"variables.f.x.y" leads nowhere`},
		"no index":              {body(ops(putMany), mapped(`{"0":["variables.f.2"]}`), file), 400, `"variables.f.2" leads nowhere`},
		"negative index":        {body(ops(putMany), mapped(`{"0":["variables.f.-1"]}`), file), 400, `"variables.f.-1" leads nowhere`},
		"odd index":             {body(ops(putMany), mapped(`{"0":["variables.f.00"]}`), file), 400, `"variables.f.00" leads nowhere`},
		"no variables":          {body(ops(`{"query":"{ take }"}`), mapped(mapOne), file), 400, `"variables.f" leads nowhere`},
		"outside variables":     {one(`{"0":["query"]}`), 400, `"query" does not begin with variables`},
		"the variables":         {one(`{"0":["variables"]}`), 400, `does not begin`},
		"extensions":            {one(`{"0":["extensions.persistedQuery"]}`), 400, `does not begin`},
		"as a batch has it":     {one(`{"0":["0.variables.f"]}`), 400, `does not begin`},
		"an empty path":         {one(`{"0":[""]}`), 400, `does not begin`},
		"not null":              {body(ops(strings.Replace(putOne, "null", `"x"`, 1)), mapped(mapOne), file), 400, `"variables.f" is not null`},
		"an object":             {body(ops(putLine), mapped(`{"0":["variables.l"]}`), file), 400, `"variables.l" is not null`},
		"twice the same":        {one(`{"0":["variables.f","variables.f"]}`), 400, `"variables.f" is there twice`},
		"two files in a place":  {one(`{"0":["variables.f"],"1":["variables.f"]}`), 400, `"variables.f" is there twice`},
		"map twice the same":    {one(`{"0":["variables.f"],"0":["variables.f"]}`), 400, `a file is there twice`},
		"no path":               {one(`{"0":[]}`), 400, `at least one path`},
		"map a list":            {one(`[["variables.f"]]`), 400, `map must be`},
		"map a text":            {one(`{"0":"variables.f"}`), 400, `map must be`},
		"map null":              {one(`null`), 400, `map must be`},
		"map no JSON":           {one(`{"0":`), 400, `map must be`},
		"map deep":              {one(strings.Repeat("[", 19_000)), 400, `map must be`},
		"long path":             {one(`{"0":["variables.` + strings.Repeat("4242", 4000) + `"]}`), 400, `is too long`},
		"hostile path":          {one(`{"0":["variables.<b>\u0000\u202e\n4242424242424242"]}`), 400, `"variables.?b????424242**********" leads`},
		"long name":             {one(`{"` + strings.Repeat("x", 100) + `":["variables.f"]}`), 400, `a name of 1 to`},
		"many files":            {one(`{"0":["variables.f"],"1":["variables.f"],"2":["variables.f"],"3":["variables.f"]}`), 413, `3 files`},
		"a missing file":        {body(ops(putOne), mapped(mapOne)), 400, `"0" for "variables.f" is missing`},
		"a surplus file":        {body(ops(putOne), mapped(mapOne), file, upload("1", "x")), 400, `"1" is not in the map`},
		"a file twice":          {body(ops(putOne), mapped(mapOne), file, file), 400, `comes twice`},
		"operations twice":      {body(ops(putOne), ops(putOne), mapped(mapOne), file), 400, `map is missing here`},
		"operations at the end": {body(ops(putOne), mapped(`{"operations":["variables.f"]}`), ops(putOne)), 400, `"operations" is not in the map`},
		"map first":             {body(mapped(mapOne), ops(putOne), file), 400, `operations is missing here`},
		"map missing":           {body(ops(putOne), file), 400, `map is missing here`},
		"file first":            {body(file, ops(putOne), mapped(mapOne)), 400, `operations is missing here`},
		"nothing":               {body(), 400, ``},
		"no body":               {``, 400, ``},
		"a batch":               {body(ops("["+putOne+"]"), mapped(mapOne), file), 400, `operations: the body must be one JSON object; batches`},
		"operations no JSON":    {body(ops("{"), mapped(mapOne), file), 400, `operations: the body is not JSON`},
		"operations large":      {body(ops(`{"query":"`+strings.Repeat(" ", 25_000)+`"}`), mapped(mapOne), file), 413, `operations may have`},
		"map large":             {one(`{"0":["` + strings.Repeat("x", 25_000) + `"]}`), 413, `map may have`},
		"a large file":          {body(ops(putOne), mapped(mapOne), upload("0", strings.Repeat("x", 40_001))), 413, `"variables.f": a file may have 40000 bytes`},
		"large as a whole":      {body(ops(putMany), mapped(`{"a":["variables.f.0"],"b":["variables.f.1"]}`), upload("a", strings.Repeat("x", 35_000)), upload("b", strings.Repeat("x", 35_000))), 413, `too large`},
		"cut":                   {strings.TrimSuffix(one(mapOne), "--\r\n"), 400, ``},
		"cut in a file":         {one(mapOne)[:len(one(mapOne))-60], 400, ``},
		"trailing":              {one(mapOne) + "x", 400, `something follows`},
		"trailing part":         {one(mapOne) + one(mapOne)[:100], 400, `something follows`},
		"trailing megabyte":     {one(mapOne) + strings.Repeat("x", 30_000), 400, `something follows`},
		"long headers":          {"--" + boundary + "\r\nContent-Disposition: form-data; name=\"operations\"\r\nX: " + strings.Repeat("x", 50_000) + "\r\n\r\n{}\r\n--" + boundary + "--", 400, `headers`},
		"long preamble":         {strings.Repeat("x\r\n", 15_000) + one(mapOne), 400, `headers`},
		"a text for an Upload":  {body(ops(strings.Replace(putOne, "null", `"x"`, 1)), mapped(`{}`)), 400, `variable $f: an Upload is a file`},
		"a file for a Decimal":  {body(ops(`{"query":"query($f:Decimal){ take(amount:$f) }","variables":{"f":null}}`), mapped(mapOne), file), 400, `variable $f: a Decimal`},
		"a file for a String":   {body(ops(`{"query":"query($f:String){ take(s:$f) }","variables":{"f":null}}`), mapped(mapOne), file), 400, `variable $f: a String`},
		"a file for a Line":     {body(ops(`{"query":"query($f:Line){ take(line:$f) }","variables":{"f":null}}`), mapped(mapOne), file), 400, `variable $f: Line is`},
		"a subscription":        {body(ops(`{"query":"subscription($f: Upload) { watch(file: $f) }","variables":{"f":null}}`), mapped(mapOne), file), 400, `a subscription has no files`},
	} {
		a := w.form(t, c.body, "Accept", response)
		if a.status != c.status || a.code() != codeBadInput || !strings.Contains(a.json.Errors[0].Message, c.says) || strings.Contains(a.body, "424242424") ||
			strings.Contains(a.body, "secret") || len(a.body) > 400 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	for _, kind := range []string{"multipart/form-data", "multipart/form-data; boundary=" + strings.Repeat("x", 100), "multipart/form-data; boundary=\"\""} {
		if a := w.form(t, one(mapOne), "Content-Type", kind); a.status != 400 || a.code() != codeBadInput {
			t.Error(kind, a.status, a.body)
		}
	}
	if a := w.form(t, one(mapOne), "Content-Type", "multipart/mixed; boundary="+boundary); a.status != 415 {
		t.Error(a.status, a.body)
	}
	if a := w.form(t, one(mapOne)+" \r\n\t\r\n"); a.status != 200 {
		t.Error("white space is no garbage:", a.body)
	}
	nothingLeft(t, w)
}

func TestFileNames(t *testing.T) {
	for given, want := range map[string]string{
		"receipt.pdf": "receipt.pdf", "../../etc/passwd": "passwd", `C:\Users\x\回单.pdf`: "回单.pdf", "/": "file", "": "file", "..": "file", ".bashrc": "bashrc",
		"a\x00b\r\n.txt": "ab.txt", "gpj.\u202eexe": "gpj.exe", "\xff\xfe": "file", "a/": "file",
		strings.Repeat("x", 300) + ".pdf": strings.Repeat("x", 196) + ".pdf",
		strings.Repeat("图", 100):          strings.Repeat("图", 66),
		"x." + strings.Repeat("y", 300):   "x." + strings.Repeat("y", 198),
	} {
		if got := fileName(given); got != want {
			t.Errorf("%q became %q", given, got)
		}
	}
	for given, want := range map[string]string{"image/PNG; x=y": "image/png", "": "application/octet-stream", "<x>": "application/octet-stream",
		"a/" + strings.Repeat("b", 200): "application/octet-stream"} {
		if got := fileType(given); got != want {
			t.Errorf("%q became %q", given, got)
		}
	}
}

// Files above a megabyte lie on the disk without a name, and are read from there.
func TestLargeFiles(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	w := startEcho(t, func(o *Options) { o.Limits.Multipart, o.Limits.File, o.Limits.Uploads = 11<<20, 10<<20, 100<<20 })
	text := strings.Repeat("x", 10<<20)
	sum := sha256.Sum256([]byte(text))
	want := fmt.Sprintf(`{"data":{"taken":{"file":"0.txt|text/plain|%d|%x|%d of \"x\""}}}`, len(text), sum[:4], len(text))
	if a := w.form(t, body(ops(putOne), mapped(mapOne), upload("0", text))); a.body != want {
		t.Errorf("%d %.300s", a.status, a.body)
	}
	nothingLeft(t, w)
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Error("left behind:", left)
	}
	// A temporary folder that cannot be written is our fault, and says nothing of the inside.
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "gone"))
	a := w.form(t, body(ops(putOne), mapped(mapOne), upload("0", text)))
	if a.status != 503 || a.code() != codeUnavailable || strings.Contains(a.body, "gone") {
		t.Errorf("%d %.300s", a.status, a.body)
	}
	nothingLeft(t, w)
}

func TestSpool(t *testing.T) {
	s := newSpool(5 << 20)
	receive := func(size, limit int) (*file, error) {
		return s.receive(io.LimitReader(neverending('x'), int64(size)), limit)
	}
	small, err := receive(1<<20, 1<<20)
	if err != nil || small.disk != nil {
		t.Fatal("a megabyte is small:", err)
	}
	large, err := receive(1<<20+1, 2<<20)
	if err != nil || large.disk == nil || large.memory != nil {
		t.Fatal("more is not:", err)
	}
	s.memory.left.Store(1000)
	crowded, err := receive(2000, 4000)
	if err != nil || crowded.disk == nil {
		t.Fatal("without memory small ones go to the disk:", err)
	}
	for _, f := range []*file{small, large, crowded} {
		got, err := io.ReadAll(f.open())
		if err != nil || len(got) != f.size || sha256.Sum256(got) != f.open().Sum256() {
			t.Error("another content:", err)
		}
	}
	over, err := receive(4<<20, 10<<20)
	if err != errSpoolFull { //nolint:errorlint // ours, not wrapped
		t.Error(err)
	}
	exceeding, err := receive(20, 10)
	if err != errFileTooLarge { //nolint:errorlint // ours, not wrapped
		t.Error(err)
	}
	s.memory.left.Add(spoolMemory - 1000 - 1<<20) // what was taken away above
	for _, f := range []*file{small, large, crowded, over, exceeding} {
		f.remove()
	}
	if m, total := s.memory.left.Load(), s.total.left.Load(); m != spoolMemory || total != 5<<20 {
		t.Error("not given back:", m, total)
	}
}

// Many at once: memory stays bounded, what is too much is UNAVAILABLE, and everybody else is answered.
func TestManyUploads(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	w := startEcho(t, func(o *Options) { o.Limits.Multipart, o.Limits.File, o.Limits.Uploads = 6<<20, 5<<20, 200<<20 })
	one := []byte(body(ops(putOne), mapped(mapOne), upload("0", strings.Repeat("x", 5<<20))))
	var most uint64
	stop, watched := make(chan struct{}), make(chan struct{})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	go func() {
		defer close(watched)
		for tick := time.NewTicker(20 * time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	}()
	var all sync.WaitGroup
	for i := range 30 {
		all.Go(func() {
			r, _ := http.NewRequestWithContext(t.Context(), "POST", w.server.URL+"/graphql", bytes.NewReader(one))
			r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
			r.Header.Set("Authorization", fmt.Sprint("Bearer ", i)) // as many users: one alone may not take so much
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if resp.StatusCode != 200 {
				text, _ := io.ReadAll(resp.Body)
				t.Errorf("%d %s", resp.StatusCode, text)
			}
		})
	}
	began := time.Now()
	if a := w.query(t, "{ __typename }"); a.status != 200 || time.Since(began) > 5*time.Second { // a machine that is busy with other tests, too
		t.Error("another client waits:", time.Since(began))
	}
	all.Wait()
	close(stop)
	<-watched
	if most > before.HeapAlloc+2*spoolMemory { // 150 MiB of files; garbage counts twice
		t.Errorf("%d MiB at most, %d before", most>>20, before.HeapAlloc>>20)
	}
	nothingLeft(t, w)
}

// When the room for files is taken, one more is told to come again.
func TestUploadsAreBoundedTogether(t *testing.T) {
	w := startEcho(t)
	w.api.spool.total.take(w.api.o.Limits.Uploads - 10)
	a := w.form(t, body(ops(putOne), mapped(mapOne), upload("0", "more than ten bytes")))
	if a.status != 503 || a.code() != codeUnavailable || a.header.Get("Retry-After") == "" {
		t.Error(a.status, a.body)
	}
	w.api.spool.total.give(w.api.o.Limits.Uploads - 10)
	nothingLeft(t, w)
}

// Whoever sends files slowly, many at once, takes a part of the room for them and no more: others still upload.
func TestUploadsOfOneUserAreBounded(t *testing.T) {
	w := startEcho(t, func(o *Options) { o.Limits.Uploads = 3 * uploadShare * o.Limits.Multipart })
	begin := func() (finish func() int) {
		r, out := io.Pipe()
		req, _ := http.NewRequestWithContext(t.Context(), "POST", w.server.URL+"/graphql", r)
		req.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
		req.Header.Set("Authorization", "Bearer ann")
		status := make(chan int)
		go func() {
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				status <- 0
				return
			}
			_ = resp.Body.Close()
			status <- resp.StatusCode
		}()
		text := body(ops(putOne), mapped(mapOne), upload("0", strings.Repeat("x", 1000)))
		_, _ = io.WriteString(out, text[:len(text)/2])
		return func() int {
			_, _ = io.WriteString(out, text[len(text)/2:])
			_ = out.Close()
			return <-status
		}
	}
	finish := []func() int{begin(), begin(), begin()}
	held := func() map[string]int {
		w.api.uploading.mu.Lock()
		defer w.api.uploading.mu.Unlock()
		return maps.Clone(w.api.uploading.held)
	}
	eventually(t, "three have begun", func() bool { return held()["user ann"] == 3 })
	one := body(ops(putOne), mapped(mapOne), upload("0", "x"))
	isLimited(t, w.form(t, one, "Authorization", "Bearer ann"), 5)
	if a := w.form(t, one, "Authorization", "Bearer bob"); a.status != 200 {
		t.Error("another user:", a.body)
	}
	for _, f := range finish {
		if status := f(); status != 200 {
			t.Error(status)
		}
	}
	if a := w.form(t, one, "Authorization", "Bearer ann"); a.status != 200 {
		t.Error("there is room again:", a.body)
	}
	eventually(t, "nobody uploads", func() bool { return len(held()) == 0 })
}

// A file that comes too slowly is cut by the upload's timeout, which is longer than a body's; one whose sender hangs up as well; neither leaves anything.
func TestSlowUpload(t *testing.T) {
	w := startEcho(t, func(o *Options) {
		o.Timeouts.HeaderTimeout, o.Timeouts.BodyTimeout, o.Timeouts.UploadTimeout = 100*time.Millisecond, 100*time.Millisecond, time.Second
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.api.Serve(ctx, l) }()
	text := body(ops(putOne), mapped(mapOne), upload("0", strings.Repeat("x", 10_000)))
	for _, hangUp := range []bool{false, true} {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "POST /graphql HTTP/1.1\r\nHost: x\r\nX-Paydesk-Client: t\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n%s",
			boundary, len(text), text[:5000])
		if !hangUp {
			_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
			if answer, err := io.ReadAll(c); err != nil || !bytes.Contains(answer, []byte(" 408 ")) {
				t.Errorf("held (%v) %s", err, answer)
			}
		}
		_ = c.Close()
		nothingLeft(t, w)
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "POST /graphql HTTP/1.1\r\nHost: x\r\nX-Paydesk-Client: t\r\nContent-Type: multipart/form-data; boundary=%s\r\nContent-Length: %d\r\n\r\n%s",
		boundary, len(text), text[:5000])
	time.Sleep(400 * time.Millisecond) // the case itself: slower than a body, quicker than an upload may be
	_, _ = io.WriteString(c, text[5000:])
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if line, err := bufio.NewReader(c).ReadString('\n'); err != nil || !strings.Contains(line, " 200 ") {
		t.Error(line, err)
	}
	_ = c.Close()
	nothingLeft(t, w)
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The file is the resolver's as long as the operation runs, and the operation is one like every other: limits hold.
func TestMultipartIsBoundedLikeOthers(t *testing.T) {
	w := startEcho(t, func(o *Options) { o.Limits.Aliases = 2 })
	query, _ := json.Marshal(map[string]any{"query": `mutation($f: Upload!) { a: put(file: $f) b: put(file: $f) c: put(file: $f) }`, "variables": map[string]any{"f": nil}})
	if a := w.form(t, body(ops(string(query)), mapped(mapOne), upload("0", "x"))); a.code() != codeTooComplex {
		t.Error(a.body)
	}
	nothingLeft(t, w)
}
