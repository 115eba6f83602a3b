package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"paydesk/graph/model"
)

// echo answers with what the executor has been given: every argument of the first field, after coercion, as JSON.
type echo struct {
	*stub
	schema *ast.Schema
}

const echoSDL = `
	scalar Decimal scalar Date scalar Upload
	enum Color { RED GREEN }
	input Line { amount: Decimal! count: Int! = 1 color: Color tags: [String!] file: Upload lines: [Line!] }
	input Either @oneOf { a: Int b: Int }
	type Query { take(id: ID, n: Int, f: Float, s: String, b: Boolean, amount: Decimal, grid: [[Decimal!]], color: Color, line: Line, lines: [Line!], either: Either): String }
	type Mutation { put(file: Upload, files: [Upload!], line: Line): String }
	type Subscription { watch(amount: Decimal, file: Upload): String }
`

func startEcho(t testing.TB, change ...func(*Options)) world {
	t.Helper()
	return start(t, append([]func(*Options){func(o *Options) {
		o.Schema = &echo{stub: newStub(), schema: gqlparser.MustLoadSchema(&ast.Source{Input: echoSDL})}
		o.Scalars = model.Scalars()
	}}, change...)...)
}

func (e *echo) Schema() *ast.Schema { return e.schema }

func (e *echo) Exec(ctx context.Context) graphql.ResponseHandler {
	op := graphql.GetOperationContext(ctx)
	field := graphql.CollectFields(op, op.Operation.SelectionSet, []string{op.Operation.Name})[0]
	taken, err := json.Marshal(readable(field.ArgumentMap(op.Variables)))
	if err != nil {
		panic(err)
	}
	return graphql.OneShot(&graphql.Response{Data: fmt.Appendf(nil, `{"taken":%s}`, taken)})
}

// readable replaces files by what a resolver sees of them.
func readable(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = readable(v[k])
		}
	case []any:
		for i := range v {
			v[i] = readable(v[i])
		}
	case graphql.Upload:
		u, err := model.UnmarshalUpload(v)
		if err != nil {
			panic(err)
		}
		text, err := io.ReadAll(io.LimitReader(u.Open(), 100))
		if err != nil {
			panic(err)
		}
		if u.Size > 100 { // not held in memory
			n, err := io.Copy(io.Discard, u.Open())
			if err != nil {
				panic(err)
			}
			text = fmt.Appendf(nil, "%d of %q", n, text[:1])
		}
		return fmt.Sprintf("%s|%s|%d|%x|%s", u.Filename, u.ContentType, u.Size, u.SHA256[:4], text)
	}
	return v
}

// ask sends a query of one variable and gives the answer.
func (w world) ask(t *testing.T, variable, argument, value string, headers ...string) answer {
	t.Helper()
	query := fmt.Sprintf("query($v: %s) { take(%s: $v) }", variable, argument)
	body := fmt.Sprintf(`{"query":%q,"variables":{"v":%s}}`, query, value)
	if value == "" {
		body = fmt.Sprintf(`{"query":%q}`, query)
	}
	return w.send(t, "POST", "/graphql", body, headers...)
}

// GraphQL §3.5 to §3.12, §6.1.2: what fits is coerced, whatever does not is a request error with the place and what would fit.
func TestVariables(t *testing.T) {
	w := startEcho(t)
	for _, c := range []struct{ variable, argument, value, want string }{ // want begins with { for what is taken
		{"Int", "n", `5`, `{"n":5}`}, {"Int", "n", `-2147483648`, `{"n":-2147483648}`}, {"Int", "n", `1.0`, `{"n":1}`}, {"Int", "n", `1e3`, `{"n":1000}`},
		{"Int", "n", `null`, `{"n":null}`}, {"Int", "n", ``, `{}`}, {"Int = 7", "n", ``, `{"n":7}`},
		{"Int", "n", `2147483648`, "$v: an Int"}, {"Int", "n", `1.5`, "$v: an Int"}, {"Int", "n", `"5"`, "$v: an Int"}, {"Int", "n", `true`, "$v: an Int"},
		{"Int", "n", `1e400`, "$v: an Int"}, {"Int", "n", `[5]`, "$v: an Int"}, {"Int!", "n", ``, "$v: Int! must be given"}, {"Int!", "n", `null`, "$v: Int! is never null"},
		{"Float", "f", `1.5`, `{"f":1.5}`}, {"Float", "f", `1`, `{"f":1}`}, {"Float", "f", `"1.5"`, "$v: a Float"}, {"Float", "f", `1e999`, "$v: a Float"},
		{"String", "s", `"x"`, `{"s":"x"}`}, {"String", "s", `5`, "$v: a String"}, {"String", "s", `{}`, "$v: a String"},
		{"Boolean", "b", `true`, `{"b":true}`}, {"Boolean", "b", `"true"`, "$v: a Boolean"}, {"Boolean", "b", `1`, "$v: a Boolean"},
		{"ID", "id", `"x"`, `{"id":"x"}`}, {"ID", "id", `5`, `{"id":5}`}, {"ID", "id", `5.5`, "$v: an ID"}, {"ID", "id", `false`, "$v: an ID"}, {"ID", "id", `["x"]`, "$v: an ID"},
		{"Decimal", "amount", `"1.50"`, `{"amount":"1.50"}`}, {"Decimal", "amount", `1.50`, "$v: a Decimal"}, {"Decimal", "amount", `"05"`, "$v: a Decimal"},
		{"Decimal", "amount", `"1e3"`, "$v: a Decimal"}, {"Decimal", "amount", `"５"`, "$v: a Decimal"}, {"Decimal", "amount", `{}`, "$v: a Decimal"},
		{"Color", "color", `"RED"`, `{"color":"RED"}`}, {"Color", "color", `"red"`, "$v: it must be one of the names of Color"}, {"Color", "color", `0`, "$v: it must be"},
		{"[[Decimal!]]", "grid", `[["1"],null,["2","3"]]`, `{"grid":[["1"],null,["2","3"]]}`}, {"[[Decimal!]]", "grid", `"1"`, `{"grid":[["1"]]}`},
		{"[[Decimal!]]", "grid", `["1","2"]`, `{"grid":[["1"],["2"]]}`},
		{"[[Decimal!]]", "grid", `[["1"],["2",3]]`, "$v[1][1]: a Decimal"}, {"[[Decimal!]]", "grid", `[[null]]`, "$v[0][0]: Decimal! is never null"},
		{"Line", "line", `{"amount":"1"}`, `{"line":{"amount":"1"}}`}, {"Line", "line", `"x"`, "$v: Line is an object"}, {"Line", "line", `[]`, "$v: Line is an object"},
		{"Line", "line", `{}`, "$v.amount: Decimal! must be given"}, {"Line", "line", `{"amount":null}`, "$v.amount: Decimal! is never null"},
		{"Line", "line", `{"amount":"1","count":null}`, "$v.count: Int! is never null"}, {"Line", "line", `{"amount":"1","color":"BLUE"}`, "$v.color: it must"},
		{"Line", "line", `{"amount":"1","tags":["a",5]}`, "$v.tags[1]: a String"}, {"Line", "line", `{"amount":"1","tags":"a"}`, `{"line":{"amount":"1","tags":["a"]}}`},
		{"Line", "line", `{"amount":"1","lines":[{"amount":"2"},{"amount":"x"}]}`, "$v.lines[1].amount: a Decimal"},
		{"Line", "line", `{"amount":"1","nope":1}`, "$v.nope: Line has no such field"}, {"Line", "line", `{"amount":"1","__typename":"Line"}`, "$v.__typename: Line has no"},
		{"[Line!]", "lines", `[{"amount":"1"},{"amount":2}]`, "$v[1].amount: a Decimal"}, {"[Line!]", "lines", `{"amount":"1"}`, `{"lines":[{"amount":"1"}]}`},
		{"Line", "line", `{"amount":"1","file":"data:,x"}`, "$v.file: an Upload is a file"},
		{"Either", "either", `{"a":1}`, `{"either":{"a":1}}`}, {"Either", "either", `{"a":1,"b":2}`, "$v: exactly one"}, {"Either", "either", `{"a":null}`, "$v: exactly one"},
		{"Either", "either", `{}`, "$v: exactly one"},
	} {
		a := w.ask(t, c.variable, c.argument, c.value)
		if strings.HasPrefix(c.want, "{") {
			if a.body != `{"data":{"taken":`+c.want+`}}` {
				t.Errorf("%s %s: %s", c.variable, c.value, a.body)
			}
			continue
		}
		if a.code() != codeBadInput || a.status != 200 || a.hasData() || !strings.HasPrefix(a.json.Errors[0].Message, "variable "+c.want) {
			t.Errorf("%s %s: %d %s", c.variable, c.value, a.status, a.body)
		}
		if a = w.ask(t, c.variable, c.argument, c.value, "Accept", response); a.status != 400 || a.hasData() {
			t.Errorf("%s %s: %d %s", c.variable, c.value, a.status, a.body)
		}
	}
	if a := w.send(t, "POST", "/graphql", `{"query":"{ take }","variables":{"undeclared":{"x":[1]}}}`); a.code() != "" {
		t.Error("what is not declared is ignored:", a.body)
	}
}

// Nothing of a wrong value comes back, wherever it stands: it may be a card's number.
func TestValuesAreNeverEchoed(t *testing.T) {
	w := startEcho(t)
	const card = "4242424242424242"
	for _, c := range [][3]string{
		{"Int", "n", card}, {"Int", "n", `"` + card + `"`}, {"String", "s", card}, {"Boolean", "b", card}, {"Decimal", "amount", card}, {"Decimal", "amount", `"0` + card + `"`},
		{"Color", "color", `"` + card + `"`}, {"ID", "id", card + ".5"}, {"Line", "line", `{"amount":"1","` + card + `":1}`}, {"Line", "line", `{"amount":"1","x` + card + `":1}`},
		{"Line", "line", `"` + card + `"`}, {"[[Decimal!]]", "grid", `[[` + card + `]]`}, {"Decimal!", "amount", `{"` + card + `":1}`},
	} {
		if a := w.ask(t, c[0], c[1], c[2]); a.code() != codeBadInput || strings.Contains(a.body, "4242") || len(a.body) > 500 {
			t.Errorf("%s: %s", c[0], a.body)
		}
	}
	if a := w.query(t, `{ take(amount: "`+card+`x") }`); a.code() != codeBadInput || strings.Contains(a.body, "4242") {
		t.Error(a.body)
	}
	for _, query := range []string{`{ take(n: "` + card + `") }`, `{ take(n: ` + card + `) }`, `{ take(color: "4242 4242-4242 4242") }`, `{ take(s: ` + card + `) }`, `{ x` + card + ` }`,
		`{ take(line: "４２４２４２４２４２４２４２４２") }`, `{ take(line: {x` + card + `: 1}) }`, `{ ` + card + ` }`, `{ take(n: ` + card, `query Q($x` + card + `: Int) { take }`} {
		if a := w.query(t, query); a.code() != codeValidationFailed || strings.Contains(a.body, "4242424") || strings.Contains(a.body, "4242-4242") || strings.Contains(a.body, "４２４２４２４") {
			t.Errorf("%s: %s", query, a.body)
		}
	}
	deep := strings.Repeat(`{"amount":"1","lines":[`, 30) + `{"amount":"x"}` + strings.Repeat(`]}`, 30)
	if a := w.ask(t, "Line", "line", deep); a.code() != codeBadInput || len(a.json.Errors[0].Message) > 300 {
		t.Error("the path is not bounded:", a.body)
	}
}

// contract §7: a wrong Decimal is BAD_USER_INPUT in a document too; literals of the built-in types are validation's.
func TestLiterals(t *testing.T) {
	w := startEcho(t)
	for query, want := range map[string]string{
		`{ take(amount: "1.50") }`:                                            "",
		`{ take(amount: null, grid: [["1"], "2", null]) }`:                    "",
		`query($a: Decimal = "1") { take(amount: $a) }`:                       "",
		`query($a: Decimal!) { take(line: {amount: $a}) }`:                    codeBadInput, // $a is missing
		`{ take(amount: 1.50) }`:                                              codeBadInput,
		`{ take(amount: 5) }`:                                                 codeBadInput,
		`{ take(amount: "+5") }`:                                              codeBadInput,
		`{ take(amount: FIVE) }`:                                              codeBadInput,
		`{ take(amount: true) }`:                                              codeBadInput,
		`{ take(amount: ["5"]) }`:                                             codeBadInput,
		`{ take(amount: {a: "5"}) }`:                                          codeBadInput,
		`{ take(amount: """5 """) }`:                                          codeBadInput,
		`{ take(grid: [["1", 2]]) }`:                                          codeBadInput,
		`{ take(line: {amount: "x"}) }`:                                       codeBadInput,
		`{ take(lines: [{amount: "1", lines: [{amount: 5}]}]) }`:              codeBadInput,
		`query($a: Decimal = "x") { take(amount: $a) }`:                       codeBadInput,
		`query($a: Line = {amount: 1}) { take(line: $a) }`:                    codeBadInput,
		`{ ...f } fragment f on Query { take(amount: 5) }`:                    codeBadInput,
		`query A { take } query B { take(amount: 5) }`:                        codeBadInput,
		`mutation { put(file: "x") }`:                                         codeBadInput,
		`{ take(n: "5") }`:                                                    codeValidationFailed,
		`{ take(n: 2147483648) }`:                                             codeValidationFailed,
		`{ take(line: {amount: "1", count: -2147483649}) }`:                   codeValidationFailed,
		`query($n: Int = 2147483648) { take(n: $n) }`:                         codeValidationFailed,
		`{ take(n: 2147483647) }`:                                             "",
		`{ take(line: {}) }`:                                                  codeValidationFailed,
		`{ take(color: "RED") }`:                                              codeValidationFailed,
		`{ take(amount: 5, nope: 1) }`:                                        codeValidationFailed,
		`{ take(line: {amount: null}) }`:                                      codeValidationFailed,
		`{ take ` + strings.Repeat(`a: take(amount: 5) `, 5) + `}`:            codeBadInput,
		`{ take(lines: [` + strings.Repeat(`{amount: 5} `, 40) + `]) }`:       codeBadInput,
		`query($a: [[Decimal!]] = [["1"], ["2"], [3]]) { take(grid: $a) }`:    codeBadInput,
		`subscription { watch(amount: 5) }`:                                   codeBadInput,
		`query($a: Decimal) { take(amount: $a) @include(if: 5) }`:             codeValidationFailed,
		`query($a: Decimal @deprecated(reason: 5)) { take(amount: $a) }`:      codeValidationFailed,
		`{ take(either: {a: 1, b: 2}) }`:                                      codeValidationFailed,
		`{ take(id: 5, s: "x", f: 1, b: true, color: RED, either: {a: 1 }) }`: "",
	} {
		for range 2 { // judged, then as it is remembered
			a := w.query(t, query)
			if a.code() != want || a.status != 200 || a.hasData() != (want == "") || len(a.json.Errors) > maxTold {
				t.Errorf("%s: %d %s", query, a.status, a.body)
			}
		}
		if a := w.query(t, query, "Accept", response); want != "" && a.status != 400 {
			t.Errorf("%s: %d %s", query, a.status, a.body)
		}
	}
}

// maxTold is the test's own limit of errors.
const maxTold = 10

// The same on the socket and as events.
func TestCoercionOnEveryTransport(t *testing.T) {
	w := startEcho(t)
	const request = `{"query":"subscription($a: Decimal!) { watch(amount: $a) }","variables":{"a":5}}`
	if a := w.send(t, "POST", "/graphql", request, "Accept", mediaEvents); !strings.Contains(a.body, "event: next\ndata: {\"errors\":[{\"message\":\"variable $a: a Decimal") ||
		!strings.Contains(a.body, "event: complete") {
		t.Error(a.body)
	}
	c := w.dial(t)
	say(t, c, hello, `{"id":"1","type":"subscribe","payload":`+request+`}`)
	if got := hear(t, c); got != ack {
		t.Fatal(got)
	}
	if got := hear(t, c); !strings.HasPrefix(got, `{"id":"1","type":"error","payload":[{"message":"variable $a: a Decimal`) || !strings.Contains(got, codeBadInput) {
		t.Error(got)
	}
}

func TestWhichOperation(t *testing.T) {
	w := start(t)
	for _, c := range []struct{ query, name, code string }{
		{"query A { hello } query B { who }", "A", ""}, {"query A { hello }", "", ""}, {"query A { hello } query B { who }", "", codeValidationFailed},
		{"query A { hello } query B { who }", "C", codeValidationFailed}, {"{ hello }", "A4242424242424242", codeValidationFailed},
	} {
		body, _ := json.Marshal(map[string]string{"query": c.query, "operationName": c.name})
		if a := w.send(t, "POST", "/graphql", string(body)); a.code() != c.code || a.status != 200 || strings.Contains(a.body, "4242") {
			t.Errorf("%+v: %s", c, a.body)
		}
	}
}

// What is wrong with a body is said, whatever its size, and nothing of it repeated.
func TestBodies(t *testing.T) {
	w := start(t, func(o *Options) { o.Limits.Body = 1 << 20 })
	utf16 := func(text string) string {
		b := []byte{0xff, 0xfe}
		for i := range len(text) {
			b = append(b, text[i], 0)
		}
		return string(b)
	}
	const good = `{"query":"{ hello }"}`
	for name, body := range map[string]string{
		"byte order mark":     "\ufeff" + good,
		"UTF-16":              utf16(good),
		"not UTF-8":           "{\"query\":\"{ hello }\",\"operationName\":\"\xff\"}",
		"deep":                `{"query":"{ hello }","variables":{"a":` + strings.Repeat("[", 1<<20-100) + `}}`,
		"deep and right":      `{"query":"{ hello }","variables":{"a":` + strings.Repeat("[", 5000) + strings.Repeat("]", 5000) + `}}`,
		"deep objects":        `{"query":"{ hello }","variables":{"a":` + strings.Repeat(`{"a":`, 5000) + `1` + strings.Repeat("}", 5000) + `}}`,
		"many values":         `{"query":"{ hello }","variables":{"a":[` + strings.Repeat("[],", 300_000) + `1]}}`,
		"query twice":         `{"query":"{ hello }","query":"{ who }"}`,
		"query twice escaped": `{"query":"{ hello }","quer\u0079":"{ who }"}`,
		"another case":        `{"Query":"{ hello }"}`,
		"variables twice":     `{"query":"{ hello }","variables":{},"variables":{}}`,
		"null":                `null`,
		"a text":              `"{ hello }"`,
		"a zero byte":         good + "\x00",
		"two":                 good + good,
	} {
		a := w.send(t, "POST", "/graphql", body)
		if a.status != 400 || a.code() != codeBadInput || len(a.body) > 300 {
			t.Errorf("%s: %d %.300s", name, a.status, a.body)
		}
	}
	for _, body := range []string{good + "\r\n\t ", `{"query":"{ hello }","variables":{"query":1,"a":{"query":"x"}},"id":{"Query":1}}`, `{"query":"{ hello }","extensions":null}`} {
		if a := w.send(t, "POST", "/graphql", body); a.status != 200 {
			t.Error(body, a.body)
		}
	}
	for query, want := range map[string]int{"query=%7Bhello%7D": 200, "query=%7Bhello%7D&query=%7Bwho%7D": 400, "query=%7Bhello%7D%ff": 400,
		"query=%7Bhello%7D&variables=" + strings.Repeat("%5B", 1000): 400, "query=%7Bhello%7D&x=1&x=2": 200} {
		if a := w.send(t, "GET", "/graphql?"+query, "", "X-Paydesk-Client", "test"); a.status != want {
			t.Error(query[:min(60, len(query))], a.status, a.body)
		}
	}
}
