package sandbox

import (
	"context"
	"crypto/md5"
	"crypto/subtle"
	"encoding/xml"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// pairs are what QQ Wallet and Tenpay exchange: names and values.
type pairs map[string]string

// tencentTime is how both write a time, in Beijing's zone.
const tencentTime = "20060102150405"

// digest is the providers' signature as their documents have it: what is not empty, in the order of the names, "&" between, the key last,
// MD5 in upper hexadecimal.
func (p pairs) digest(key string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if name != "sign" && p[name] != "" {
			parts = append(parts, fmt.Sprintf("%s=%s", name, p[name]))
		}
	}
	return fmt.Sprintf("%X", md5.Sum([]byte(strings.Join(append(parts, "key="+key), "&"))))
}

// genuine reports whether a request is signed with the merchant's key.
func (p pairs) genuine(key string) bool {
	return subtle.ConstantTimeCompare([]byte(p.digest(key)), []byte(strings.ToUpper(p["sign"]))) == 1
}

// seal signs an answer or a notification; with a key of nobody's where it is to be a forgery.
func (p pairs) seal(ctx context.Context, key string, forged bool) pairs {
	if forged || spoils(ctx) {
		key = upperHex(16)
	}
	p["sign"] = p.digest(key)
	return p
}

// flat writes XML with the values in CDATA, as the providers do.
func (p pairs) flat(root string) []byte {
	var b strings.Builder
	b.WriteString("<" + root + ">\n")
	for _, name := range slices.Sorted(maps.Keys(p)) {
		if p[name] != "" {
			b.WriteString("<" + name + "><![CDATA[" + strings.ReplaceAll(p[name], "]]>", "]]]]><![CDATA[>") + "]]></" + name + ">\n")
		}
	}
	b.WriteString("</" + root + ">")
	return []byte(b.String())
}

// unflat reads XML of one level.
func unflat(body []byte) (pairs, error) {
	var in struct {
		Elements []struct {
			XMLName xml.Name
			Text    string `xml:",chardata"`
		} `xml:",any"`
	}
	if err := xml.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	p := pairs{}
	for _, e := range in.Elements {
		p[e.XMLName.Local] = e.Text
	}
	return p, nil
}

// tencentEnd reads time_expire, which may be missing.
func tencentEnd(text string) (*time.Time, error) {
	if text == "" {
		return nil, nil
	}
	end, err := time.ParseInLocation(tencentTime, text, beijing)
	end = end.UTC()
	return &end, err
}

// tencentClock is how a provider writes a moment: by its own clock, which may be wrong.
func tencentClock(ctx context.Context, t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.Add(stamp(ctx).Sub(wall())).In(beijing).Format(tencentTime)
}

// tencentDay reads the day that a statement is asked for, and whether that is made, on the product's clock: as soon as it is over, where the
// providers take until nine in the morning, so that a day can be played without waiting for another.
func (s *Sandbox) tencentDay(layout, text string) (from, to time.Time, made bool, err error) {
	from, err = time.ParseInLocation(layout, text, beijing)
	to = from.AddDate(0, 0, 1)
	return from.UTC(), to.UTC(), !s.clock.Now().Before(to), err
}

// Now is the provider's time: the product's clock, by which days end here.
func (s *Sandbox) Now() time.Time { return s.clock.Now() }

// tick marks a number, so that no spreadsheet rounds it; nothing stays nothing.
func tick(number string) string {
	if number == "" {
		return ""
	}
	return "`" + number
}

// row writes a line of a statement. Commas in what the payer reads stay: the files know no quoting.
func row(nothing, end string, cells ...string) string {
	for i, c := range cells {
		if c == "" {
			c = nothing
		}
		cells[i] = strings.NewReplacer("\n", " ", "\r", " ").Replace(c)
	}
	return strings.Join(cells, ",") + end
}

// inYuan is how statements write amounts.
func inYuan(fen int64) string { return fmt.Sprintf("%d.%02d", fen/100, fen%100) }

func writeFile(w http.ResponseWriter, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Write(body)
}
