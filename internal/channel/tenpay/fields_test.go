package tenpay

import (
	"maps"
	"strings"
	"testing"
)

// The examples that the family's documents publish.
func TestSignature(t *testing.T) {
	f := fields{"appid": "wxd930ea5d5a258f4f", "mch_id": "10000100", "device_info": "1000", "body": "test", "nonce_str": "ibuaiVcKdpRxkhJA", "attach": "", "sign": "X"}
	const key = "192006250b4c09247ec02edce69f6a2d"
	if got := f.signature(key); got != "9A0A8659F005D6984697E2CA0A9CF3B7" {
		t.Error("MD5: ", got)
	}
	if !f.signed(key).verified(key) || f.verified("another") {
		t.Error("it does not verify what it signs")
	}
	if f["sign"] = strings.ToLower(f["sign"]); !f.verified(key) {
		t.Error("lower case is a signature too")
	}
	for _, bad := range []string{"", "9A", f["sign"] + "0"} {
		if f["sign"] = bad; f.verified(key) {
			t.Errorf("%q is taken", bad)
		}
	}
	f["sign_type"] = "HMAC-SHA256"
	if f.signed(key); len(f["sign"]) != 64 || !f.verified(key) {
		t.Error("HMAC-SHA256: ", f["sign"])
	}
	if f["sign_type"] = "MD5"; f.verified(key) {
		t.Error("the digest is not what sign_type says")
	}
}

func TestHMAC(t *testing.T) {
	f := fields{"a": "1", "sign_type": "HMAC-SHA256"}
	// printf 'a=1&sign_type=HMAC-SHA256&key=k' | openssl dgst -sha256 -hmac k
	if got := f.signature("k"); got != "75E89F7BDDE507E8C96A06D13519EB99F945FDC4BBF5C6D64015A5F464A807A9" {
		t.Error(got)
	}
}

func TestXML(t *testing.T) {
	want := fields{"a": "1 <2> & \"3\"", "b": "中文", "c": " x "}
	got, err := parseXML([]byte(want.xml()))
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%v %v", got, err)
	}
	got, err = parseXML([]byte("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<root>\n<a><![CDATA[1 < 2]]></a><!-- x --><b/></root>\n"))
	if err != nil || got["a"] != "1 < 2" || len(got) != 2 {
		t.Errorf("%v %v", got, err)
	}
	got, err = parseXML([]byte("<?xml version=\"1.0\" encoding=\"GBK\"?><root><retmsg>\xc7\xa9\xc3\xfb\xb4\xed\xce\xf3</retmsg></root>"))
	if err != nil || !unsigned(got["retmsg"]) {
		t.Errorf("Tenpay's own encoding: %v %v", got, err)
	}
	for what, bad := range map[string]string{
		"nothing":             "",
		"an empty root":       "<xml></xml>",
		"a document type":     `<!DOCTYPE xml><xml><a>1</a></xml>`,
		"an entity":           `<!DOCTYPE xml [<!ENTITY a "1">]><xml><a>&a;</a></xml>`,
		"an unknown entity":   `<xml><a>&a;</a></xml>`,
		"an external one":     `<!DOCTYPE xml SYSTEM "http://example.com/x.dtd"><xml><a>1</a></xml>`,
		"a type in between":   `<xml><a>1</a><!DOCTYPE xml></xml>`,
		"elements in one":     `<xml><a><b>1</b></a></xml>`,
		"a name twice":        `<xml><a>1</a><a>2</a></xml>`,
		"two roots":           `<xml><a>1</a></xml><xml><b>1</b></xml>`,
		"cut off":             `<xml><a>1</a>`,
		"another encoding":    `<?xml version="1.0" encoding="ISO-8859-1"?><xml><a>1</a></xml>`,
		"no XML":              `return_code=SUCCESS`,
		"more than they have": "<xml>" + strings.Join(many(), "") + "</xml>",
	} {
		if f, err := parseXML([]byte(bad)); err == nil {
			t.Errorf("%s: %v", what, f)
		}
	}
}

func many() (elements []string) {
	for i := range maxFields + 1 {
		name := "a" + strings.Repeat("b", i)
		elements = append(elements, "<"+name+">1</"+name+">")
	}
	return elements
}

func FuzzXML(f *testing.F) {
	f.Add([]byte("<xml><a><![CDATA[1]]></a></xml>"))
	f.Add([]byte(`<!DOCTYPE xml [<!ENTITY a "1">]><xml><a>&a;</a></xml>`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := parseXML(body)
		if err == nil && (len(got) == 0 || len(got) > maxFields || strings.Contains(string(body), "<!DOCTYPE") && !strings.Contains(string(body), "<!--") && !strings.Contains(string(body), "<![CDATA[")) {
			t.Errorf("%q gives %v", body, got)
		}
	})
}

func TestCodes(t *testing.T) {
	for in, want := range map[string]string{"ORDERPAID": "ORDERPAID", "": "", "签名 KEY<1>": "KEY1", strings.Repeat("A", 100): strings.Repeat("A", 40)} {
		if got := code(in); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
	for in, want := range map[string]string{"short": "short", "长长长": "长长"} {
		if got := cut(in, 8); got != want {
			t.Errorf("%q: %q", in, got)
		}
	}
}
