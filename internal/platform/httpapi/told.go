package httpapi

import (
	"encoding/json"
	"fmt"

	"github.com/vektah/gqlparser/v2/gqlerror"
)

const (
	// maxLocations of one error are told.
	maxLocations = 10
	// omittedKey is the extension that says how many errors are not told.
	omittedKey = "omitted"
	// spare is kept for the error that says so.
	spare = 256
)

// told is what an answer says of its errors: the first Limits.Errors of them, in Limits.Refusal bytes, each with a bounded
// message, and then one more that says how many there were besides. It changes nothing that it was given, and takes its own
// result as it is.
func told(l Limits, errs gqlerror.List) gqlerror.List {
	if len(errs) == 0 || errs[len(errs)-1].Extensions[omittedKey] != nil {
		return errs
	}
	left := l.Refusal - spare
	out := make(gqlerror.List, 0, min(len(errs), l.Errors+1))
	for i, e := range errs {
		short, bytes := shortened(e)
		if i == 0 && bytes > left { // the first is always told, if without its path and what else it carries
			short = failure(codeOf(short), short.Message)
			bytes = 0
		}
		if left -= bytes; i == l.Errors || left < 0 {
			return append(out, omitted(out, len(errs)-i))
		}
		out = append(out, short)
	}
	return out
}

// shortened is an error as it is told, and the bytes it takes.
func shortened(e *gqlerror.Error) (short *gqlerror.Error, bytes int) {
	c := *e
	c.Message = shorten(c.Message)
	c.Locations = c.Locations[:min(len(c.Locations), maxLocations)]
	text, err := json.Marshal(&c)
	if err != nil { // an extension that is no JSON is our own mistake
		panic(err)
	}
	return &c, len(text) + 1
}

// omitted stands for the errors that are not told; n is 0 where nobody has counted them. Its code is the first one's: it is
// more of the same.
func omitted(of gqlerror.List, n int) *gqlerror.Error {
	message, extension := "and more errors", any(true)
	if n > 0 {
		message, extension = fmt.Sprintf("and %d more", n), n
	}
	e := failure(codeOf(of[0]), message)
	e.Extensions[omittedKey] = extension
	return e
}

func codeOf(e *gqlerror.Error) string {
	code, _ := e.Extensions["code"].(string)
	return code
}
