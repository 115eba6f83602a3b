package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"strconv"
	"strings"

	"paydesk/internal/platform/telemetry/trace"
)

// maxText of a statement goes into its span, in bytes: long lists of placeholders are all alike.
const maxText = 1 << 10

// span begins the span of a round trip, by the semantic conventions for databases. The text has placeholders alone, for every
// value goes by its side; values are in no span.
func (c *conn) span(ctx context.Context, text string) trace.Span {
	if !trace.On() {
		return trace.Span{}
	}
	verb, _, _ := strings.Cut(text, " ")
	_, span := trace.Child(ctx, trace.Client, verb)
	if !span.Recording() {
		return span
	}
	span.Set("db.system.name", c.shared.dialect)
	span.Set("db.operation.name", verb)
	if table := tableOf(text); table != "" {
		span.Rename(verb + " " + table)
		span.Set("db.collection.name", table)
	}
	span.Set("db.query.text", strings.ToValidUTF8(text[:min(len(text), maxText)], ""))
	return span
}

// tableOf is the first table that a statement names.
func tableOf(text string) string {
	words := strings.Fields(text[:min(len(text), 4*maxText)])
	for i, w := range words[:max(len(words)-1, 0)] {
		switch strings.ToUpper(w) {
		case "FROM", "INTO", "UPDATE":
			return strings.Trim(words[i+1], "`\"(),;")
		}
	}
	return ""
}

// ended ends a round trip's span, with the server's error number where it went wrong.
func ended(span trace.Span, err error) {
	if span.Recording() {
		span.Fail(errorType(err))
		span.End()
	}
}

// errorType is a code for an error, its text being nobody's business.
func errorType(err error) string {
	my, lite := codes(err)
	switch {
	case err == nil || errors.Is(err, driver.ErrSkip):
		return ""
	case my != 0:
		return strconv.Itoa(int(my))
	case lite != 0:
		return strconv.Itoa(lite)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "canceled"
	case isUnavailable(err):
		return "unavailable"
	}
	return "other"
}
