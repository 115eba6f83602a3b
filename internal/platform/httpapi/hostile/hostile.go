// Package hostile has GraphQL documents that are made to hurt: each once cost a validator seconds or megabytes, or would
// without the bounds of the edge. Tests of the edge and of the whole server drive them over every transport.
package hostile

import (
	"fmt"
	"strings"
)

// Document is a hostile document in the terms of docs/schema.graphqls.
type Document struct {
	Name, Text string
	// Code is the one the first error must have.
	Code string
	// Late is true where only running the document finds out, not looking at it.
	Late bool
}

const (
	tooComplex = "COMPLEXITY_LIMIT_EXCEEDED"
	invalid    = "GRAPHQL_VALIDATION_FAILED"
)

// Documents are all of them, none longer than a megabyte.
func Documents() []Document {
	list := []Document{}
	for _, group := range [][]Document{wide(), deep(), spreading(), repeated(), operations(), heavy()} {
		list = append(list, group...)
	}
	return list
}

// wide are documents with very many of one thing.
func wide() []Document {
	return []Document{
		{"10,000 aliases", "{" + each(10_000, " a%d: now") + "}", tooComplex, false},
		{"aliases within the tokens", "{" + each(600, " a%d: now") + "}", tooComplex, false},
		{"10,000 fields", "{" + times(10_000, " now") + "}", tooComplex, false},
		{"10,000 undefined fields", "{" + each(10_000, " a%d") + "}", tooComplex, false},
		{"undefined fields within the tokens", "{" + each(1990, " a%d") + "}", invalid, false},
		{"10,000 unknown directives", "{ now" + each(10_000, " @a%d") + "}", tooComplex, false},
		{"unknown directives within the tokens", "{ now" + each(900, " @a%d") + "}", tooComplex, false},
		{"the same directive", "{ now" + times(300, " @skip(if: false)") + "}", tooComplex, false},
		{"unused variables", "query(" + each(450, "$a%d: Int ") + ") { now }", invalid, false},
		{"variables of unknown types", "query(" + each(400, "$a%d: T%[1]d ") + ") { now }", invalid, false},
		{"used variables", "query(" + each(280, "$a%d: ID! ") + ") { nodes(ids: [" + each(280, "$a%d ") + "]) { id } }", "BAD_USER_INPUT", true},
		{"unknown arguments", "{ now(" + each(600, "a%d: 1 ") + ") }", invalid, false},
		{"unknown input fields", "{ orders(filter: {" + each(600, "a%d: 1 ") + "}) { edges { cursor } } }", invalid, false},
		{"unknown fragments", "{" + each(900, " ...F%d") + "}", tooComplex, false},
		{"unknown types", "{" + each(300, " ... on T%d { a }") + "}", invalid, false},
		{"comments", "{ now\n" + times(3000, "#\n") + "}", tooComplex, false},
	}
}

// deep are documents that nest.
func deep() []Document {
	nest := func(n int, open, within, shut string) string { return times(n, open) + within + times(n, shut) }
	return []Document{
		{"a megabyte of brackets", "{ node(id: " + times(1_000_000, "["), tooComplex, false},
		{"a megabyte of braces", times(1_000_000, "{"), invalid, false},
		{"deep fields", "{ " + nest(600, "viewer { ", "id", " }") + " }", tooComplex, false},
		{"deep introspection", "{ __schema { types { " + nest(60, "ofType { ", "name", " }") + " } } }", tooComplex, false},
		{"introspection of introspection", "{ __schema { types { " + nest(5, "fields { type { ", "name", " } }") + " } } }", invalid, false},
		{"introspection aliased", "{" + each(50, " a%d: __schema { types { fields { name type { name } } } }") + "}", tooComplex, false},
		{"deep lists", "{ node(id: " + nest(990, "[", "", "]") + ") { id } }", tooComplex, false},
		{"deep lists of a megabyte", "{ node(id: " + nest(900, "[", megabyte(), "]") + ") { id } }", tooComplex, false},
		{"deep input objects", "{ orders(filter: " + nest(480, "{ a: ", "1", " }") + ") { edges { cursor } } }", tooComplex, false},
		{"deep types", "query($a: " + nest(900, "[", "Int", "]") + ") { now }", tooComplex, false},
		{"deep defaults", "query($a: " + nest(400, "[", "Int", "]") + " = " + nest(400, "[", "1", "]") + ") { now }", tooComplex, false},
		{"inline fragments in each other", "{" + nest(280, " ... {", times(900, " now"), " }") + "}", tooComplex, false},
		{"inline fragments, typed", "{" + nest(300, " ... on Query { now", "", " }") + "}", tooComplex, false},
	}
}

// spreading are documents whose fragments unfold.
func spreading() []Document {
	doubling := func(levels int) string {
		return "{ ...F0 }" + made(levels, func(i int) string { return fmt.Sprintf(" fragment F%d on Query { ...F%d ...F%[2]d }", i, i+1) }) +
			fmt.Sprintf(" fragment F%d on Query { now }", levels)
	}
	return []Document{
		{"26 doublings", doubling(26), tooComplex, false},
		{"60 doublings", doubling(60), tooComplex, false},
		{"doublings behind a double", "{ now } fragment F0 on Query { now } fragment F0 on Query { ...None }" + made(40, func(i int) string {
			return fmt.Sprintf(" fragment F%d on Query { ...F%d ...F%[2]d }", i+1, i)
		}), tooComplex, false},
		{"a fragment of itself", "{ ...F } fragment F on Query { now ...F }", invalid, false},
		{"fragments in a ring", "{ viewer { ...F0 } }" + made(60, func(i int) string { return fmt.Sprintf(" fragment F%d on Viewer { ...F%d }", i, (i+1)%60) }), invalid, false},
		{"a ring nobody spreads", "{ now } fragment A on Viewer { ...B } fragment B on Viewer { ...A }", invalid, false},
		{"rings of rings", "{ now }" + made(60, func(i int) string {
			return fmt.Sprintf(" fragment F%d on Query { ...F%d ...F%d }", i, (i*7+1)%60, (i*11+5)%60)
		}), tooComplex, false},
		{"one fragment 900 times", "{" + times(900, " ...F") + " } fragment F on Query { now }", tooComplex, false},
		{"equal fragments", "{" + each(50, " ...F%d") + " }" + each(50, " fragment F%d on Query {"+times(30, " now")+" }"), tooComplex, false},
		{"one wide fragment in many", "{ now }" + each(99, " fragment A%d on Query { ...F }") + " fragment F on Query {" + each(1200, " a%d") + " }", tooComplex, false},
	}
}

// repeated are documents that make the comparison of fields expensive.
func repeated() []Document {
	return []Document{
		{"equal fields within the tokens", "{" + times(1990, " now") + " }", tooComplex, false},
		{"equal undefined fields", "{" + times(1990, " a") + " }", tooComplex, false},
		{"equal typenames", "{" + times(1990, " __typename") + " }", tooComplex, false},
		{"equal objects", "{" + times(44, " viewer {"+times(40, " id")+" }") + " }", tooComplex, false},
		{"equal objects, deeper", "{" + times(20, " balance {"+times(8, " cash {"+times(8, " amount")+" }")+" }") + " }", tooComplex, false},
		{"conflicts", "{" + each(600, " a: b%d") + " }", tooComplex, false},
		{"conflicts beneath", "{" + times(100, " viewer { a: id a: name a: role }") + " }", tooComplex, false},
		{"objects as arguments", "{" + times(45, " orders(filter: {"+each(8, " a%d: 1")+" }) { edges { cursor } }") + " }", invalid, false},
	}
}

// operations are documents of many operations.
func operations() []Document {
	return []Document{
		{"many operations", each(330, "query a%d { now } "), invalid, true},
		{"one name for all", times(330, "query a { now } "), invalid, false},
		{"nameless", times(330, "{ now } "), invalid, false},
		{"one fragment in all", each(100, "query a%d { ...F } ") + "fragment F on Query {" + each(1000, " b%d") + " }", tooComplex, false},
		{"one mistake in all", each(100, "query a%d { ...F } ") + "fragment F on Query { node(id: [" + megabyte() + "]) { id } }", invalid, false},
		{"one mistake in all fragments", "{ now }" + each(99, " fragment A%d on Query { ...F }") + " fragment F on Query { orders(first: " + megabyte() + ") { edges { cursor } } }", invalid, false},
	}
}

// heavy are documents of few tokens and many bytes.
func heavy() []Document {
	return []Document{
		{"a name of a megabyte", "{ " + times(900_000, "x") + " }", tooComplex, false},
		{"an alias of a megabyte", "{ " + times(900_000, "x") + ": now }", tooComplex, false},
		{"an operation's name of a megabyte", "query " + times(900_000, "x") + " { now }", tooComplex, false},
		{"an enum value of a megabyte", "{ orders(orderBy: {field: " + times(900_000, "X") + "}) { edges { cursor } } }", tooComplex, false},
		{"a string for an enum", "{ orders(orderBy: {field: " + megabyte() + "}) { edges { cursor } } }", invalid, false},
		{"a string for a number", "{ orders(first: " + megabyte() + ") { edges { cursor } } }", invalid, false},
		{"a number of a megabyte", "{ orders(first: 1" + times(900_000, "0") + ") { edges { cursor } } }", invalid, false},
		{"escapes", `{ orders(first: "` + times(150_000, `\u0001`) + `") { edges { cursor } } }`, invalid, false},
		{"an open string", `{ node(id: "` + times(900_000, "x"), invalid, false},
		{"a block of blank lines", `{ orders(first: """` + times(400_000, "\n ") + `x""") { edges { cursor } } }`, invalid, false},
		{"an open block", `{ node(id: """` + times(300_000, "\"\"\n"), invalid, false},
		{"a comment", "{ now nope #" + times(900_000, "x") + "\n}", invalid, false},
		{"commas", "{ now nope " + times(900_000, ",") + "}", invalid, false},
		{"emoji", `{ orders(first: "` + times(200_000, "😀") + `") { edges { cursor } } }`, invalid, false},
		{"a name that is none", "{ " + times(200_000, "名") + " }", invalid, false},
		{"control characters", "{ now " + times(900_000, "\x01") + " }", invalid, false},
	}
}

func megabyte() string { return `"` + times(900_000, "x") + `"` }

func times(n int, text string) string { return strings.Repeat(text, n) }

// each repeats a format with the numbers from 0.
func each(n int, format string) string {
	return made(n, func(i int) string { return fmt.Sprintf(format, i) })
}

func made(n int, part func(i int) string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(part(i))
	}
	return b.String()
}
