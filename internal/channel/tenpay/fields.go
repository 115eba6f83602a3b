package tenpay

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"

	"paydesk/internal/channel"
)

// fields are a request, an answer or a notification: names and values, one of each.
type fields map[string]string

// maxFields is more than any answer has.
const maxFields = 500

// signature is the upper hexadecimal MD5 of the sorted fields and the key; HMAC-SHA256 where sign_type says so. The protocols know no
// better digest than MD5: it is used nowhere else.
func (f fields) signature(key string) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if f[name] != "" && name != "sign" {
			text.WriteString(name + "=" + f[name] + "&")
		}
	}
	text.WriteString("key=" + key)
	sum := md5.New()
	if f["sign_type"] == "HMAC-SHA256" {
		sum = hmac.New(sha256.New, []byte(key))
	}
	sum.Write([]byte(text.String()))
	return strings.ToUpper(hex.EncodeToString(sum.Sum(nil)))
}

// signed adds the signature.
func (f fields) signed(key string) fields {
	f["sign"] = f.signature(key)
	return f
}

// verified reports whether the signature is right. It takes as long whatever is wrong.
func (f fields) verified(key string) bool {
	return subtle.ConstantTimeCompare([]byte(strings.ToUpper(f["sign"])), []byte(f.signature(key))) == 1
}

// form is how Tenpay takes fields.
func (f fields) form() string {
	v := url.Values{}
	for name, value := range f {
		if value != "" {
			v.Set(name, value)
		}
	}
	return v.Encode()
}

// xml is how QQ Wallet takes fields.
func (f fields) xml() string {
	var text bytes.Buffer
	text.WriteString("<xml>")
	for _, name := range slices.Sorted(maps.Keys(f)) {
		if f[name] != "" {
			text.WriteString("<" + name + ">")
			_ = xml.EscapeText(&text, []byte(f[name])) // a buffer takes everything
			text.WriteString("</" + name + ">")
		}
	}
	text.WriteString("</xml>")
	return text.String()
}

var errXML = errors.New("not the protocol's XML")

// parseXML reads flat XML: a root and elements with text. A document type, so entities, elements in elements and a name that comes twice
// are refused.
func parseXML(body []byte) (fields, error) {
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = chinese
	f, depth, name := fields{}, 0, ""
	for {
		token, err := d.Token()
		if err == io.EOF && depth == 0 && len(f) > 0 {
			return f, nil
		}
		if err != nil {
			return nil, errXML
		}
		switch t := token.(type) {
		case xml.Directive:
			return nil, errXML
		case xml.StartElement:
			if depth++; depth == 1 && name == "" {
				name = t.Name.Local // the root's, whatever it is called
				continue
			}
			name = t.Name.Local
			if _, twice := f[name]; twice || depth != 2 || len(f) == maxFields {
				return nil, errXML
			}
			f[name] = ""
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 2 {
				f[name] += string(t)
			}
		}
	}
}

// chinese reads XML that says that it is in GBK, as Tenpay answers where it does not know what was asked for.
func chinese(charset string, in io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "gbk", "gb2312", "gb18030":
		return simplifiedchinese.GB18030.NewDecoder().Reader(in), nil
	}
	return nil, errXML
}

// parseForm reads an urlencoded form in which no name comes twice.
func parseForm(body []byte) (fields, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil || len(form) > maxFields {
		return nil, errors.New("not a form")
	}
	f := fields{}
	for name, values := range form {
		if len(values) != 1 {
			return nil, errors.New("a field comes twice")
		}
		f[name] = values[0]
	}
	return f, nil
}

// nonce is 32 random characters.
func nonce() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// cut shortens a text to so many bytes, at a character's end.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "")
}

// code is a provider's code as it may stand in a log: capitals, digits and underscores, not long.
func code(text string) string {
	return cut(strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, text), 40)
}

func forged(why string) error { return fmt.Errorf("%w: %s", channel.ErrForged, why) }
