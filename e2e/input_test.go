package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

const topUpDocument = `mutation($input: TopUpInput!) { topUp(input: $input) { payment { id amount { amount } } errors { code message } } }`

// deliver sends a body of any kind as the customer and gives status and text.
func (c *customer) deliver(t *testing.T, kind, accept string, body []byte) (status int, text string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.s.URL+"/graphql", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Header.Set("Accept", accept)
	r.Header.Set("Authorization", "Bearer "+c.token)
	res, text := answerTo(t, r)
	return res.StatusCode, text
}

func asForm(operations []byte, mapping string) (kind string, body []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("operations", string(operations))
	_ = w.WriteField("map", mapping)
	_ = w.Close()
	return w.FormDataContentType(), b.Bytes()
}

// TestWrongInputNeverRuns: a wrong Decimal, enum, type or field is BAD_USER_INPUT without data on every way in (contract §7), nothing
// of it is repeated, and no money moves.
func TestWrongInputNeverRuns(t *testing.T) {
	s := start(t, nil, options{})
	c := s.customer(t)
	const good = `{"idempotencyKey":"k","online":{"channel":"ALIPAY","amount":{"amount":"10.00","currency":"CNY"}}}`
	for _, change := range [][2]string{
		{`"10.00"`, `10.00`}, {`"10.00"`, `"+10"`}, {`"10.00"`, `"1e3"`}, {`"10.00"`, `"010"`}, {`"10.00"`, `"１０"`}, {`"10.00"`, `"4242424242424242x"`}, {`"10.00"`, `null`},
		{`"CNY"`, `"cny"`}, {`"CNY"`, `5`}, {`"ALIPAY"`, `"alipay"`}, {`"ALIPAY"`, `"4242424242424242"`}, {`"ALIPAY"`, `0`}, {`"k"`, `["k"]`}, {`"k"`, `1.5`},
		{`"online":`, `"onlin":`}, {`"k",`, `"k","x4242424242424242":1,`}, {`{"amount":"10.00","currency":"CNY"}`, `"10.00"`},
	} {
		input := strings.Replace(good, change[0], change[1], 1)
		body := fmt.Appendf(nil, `{"query":%q,"variables":{"input":%s}}`, topUpDocument, input)
		form, formBody := asForm(body, "{}")
		for name, way := range map[string]struct {
			kind, accept string
			body         []byte
			status       int
		}{
			"JSON": {"application/json", "application/json", body, 200}, "JSON, the newer type": {"application/json", "application/graphql-response+json", body, 400},
			"a form": {form, "application/json", formBody, 200}, "events": {"application/json", "text/event-stream", body, 200},
		} {
			status, text := c.deliver(t, way.kind, way.accept, way.body)
			if status != way.status || !strings.Contains(text, `"BAD_USER_INPUT"`) || !strings.Contains(text, "variable $input") || strings.Contains(text, `"data"`) ||
				strings.Contains(text, "4242") {
				t.Errorf("%s by %s: %d %s", change[1], name, status, text)
			}
		}
		if frame := c.subscribeOnce(t, body); !strings.Contains(frame, `"type":"error"`) || !strings.Contains(frame, `"BAD_USER_INPUT"`) {
			t.Errorf("%s by a socket: %s", change[1], frame)
		}
	}
	for _, literal := range []string{`10`, `"+10"`, `TEN`, `["1"]`} {
		query := `mutation { topUp(input: {idempotencyKey: "k", online: {channel: ALIPAY, amount: {amount: ` + literal + `, currency: "CNY"}}}) { payment { id } } }`
		body, _ := json.Marshal(map[string]string{"query": query})
		if status, text := c.deliver(t, "application/json", "application/json", body); status != 200 || !strings.Contains(text, `"BAD_USER_INPUT"`) || strings.Contains(text, `"data"`) {
			t.Errorf("literal %s: %d %s", literal, status, text)
		}
	}
	var none struct {
		Payments struct{ Nodes []struct{ ID string } }
	}
	if c.must(t, `{ payments { nodes { id } } }`, nil, &none); len(none.Payments.Nodes) != 0 {
		t.Error("money moved:", none)
	}
	// The same input by JSON and by a form is one input: one key, one payment.
	body := fmt.Appendf(nil, `{"query":%q,"variables":{"input":%s}}`, topUpDocument, good)
	form, formBody := asForm(body, "{}")
	_, first := c.deliver(t, form, "application/json", formBody)
	_, again := c.deliver(t, "application/json", "application/json", body)
	if first != again || !strings.Contains(first, `"pay_`) {
		t.Errorf("%s, then %s", first, again)
	}
}

// subscribeOnce runs an operation on a socket and gives the first frame about it.
func (c *customer) subscribeOnce(t *testing.T, payload []byte) string {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), c.s.URL+"/graphql", &websocket.DialOptions{Subprotocols: []string{"graphql-transport-ws"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ws.CloseNow() }()
	for _, frame := range []string{fmt.Sprintf(`{"type":"connection_init","payload":{"authorization":"Bearer %s"}}`, c.token), fmt.Sprintf(`{"id":"1","type":"subscribe","payload":%s}`, payload)} {
		if err := ws.Write(t.Context(), websocket.MessageText, []byte(frame)); err != nil {
			t.Fatal(err)
		}
		_, data, err := ws.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(data), `"id":"1"`) {
			return string(data)
		}
	}
	return ""
}

// TestForms: a multipart request that is wrong is 4xx and names the path; nothing of a file comes back, and the server is unharmed.
func TestForms(t *testing.T) {
	s := start(t, nil, options{})
	c := s.customer(t)
	operations := []byte(`{"query":"query($id: ID!) { node(id: $id) { id } }","variables":{"id":null}}`)
	send := func(mapping string, files ...string) (int, string) {
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		_ = w.WriteField("operations", string(operations))
		_ = w.WriteField("map", mapping)
		for i, text := range files {
			part, _ := w.CreateFormFile(fmt.Sprint(i), "../../etc/passwd")
			_, _ = io.WriteString(part, text)
		}
		_ = w.Close()
		return c.deliver(t, w.FormDataContentType(), "application/json", b.Bytes())
	}
	for name, x := range map[string]struct {
		mapping string
		files   []string
		status  int
		says    string
	}{
		"a wrong path":     {`{"0":["variables.nope.file"]}`, []string{"secret"}, 400, `\"variables.nope.file\" leads nowhere`},
		"not null":         {`{"0":["variables"]}`, []string{"secret"}, 400, `\"variables\"`},
		"missing":          {`{"0":["variables.id"]}`, nil, 400, `\"variables.id\" is missing`},
		"surplus":          {`{}`, []string{"secret"}, 400, `not in the map`},
		"not for a file":   {`{"0":["variables.id"]}`, []string{"secret"}, 200, `variable $id`},
		"a large file":     {`{"0":["variables.id"]}`, []string{strings.Repeat("x", 10<<20+1)}, 413, `10485760`},
		"large as a whole": {`{"0":["variables.id"]}`, []string{strings.Repeat("x", 12<<20)}, 413, `too large`},
	} {
		status, text := send(x.mapping, x.files...)
		if status != x.status || !strings.Contains(text, x.says) || !strings.Contains(text, "BAD_USER_INPUT") || strings.Contains(text, "secret") || strings.Contains(text, "passwd") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
	kind, body := asForm([]byte(`{"query":"{ __typename }"}`), "{}")
	c.token = ""
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql", bytes.NewReader(body))
	r.Header.Set("Content-Type", kind)
	res, err := web.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusForbidden {
		t.Error("a plain form, as any page can send it:", res.Status)
	}
}
