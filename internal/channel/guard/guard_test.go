package guard

import (
	"strings"
	"testing"
)

func TestBaseURLKeepsPlayAndRealMoneyApart(t *testing.T) {
	cases := []struct {
		mode Mode
		url  string
		ok   bool
	}{
		{Sandbox, "http://127.0.0.1:8080/sandbox/alipay/gateway.do", true},
		{Sandbox, "http://localhost:1/x", true},
		{Sandbox, "http://[::1]:1", true},
		{Sandbox, "http://127.8.9.1", true},
		{Sandbox, "https://openapi.alipay.com/gateway.do", false},
		{Sandbox, "http://localhost.example.com", false},
		{Sandbox, "http://10.0.0.1", false},
		{Sandbox, "http://127.0.0.1.example.com", false},
		{Sandbox, "http://user@127.0.0.1", false},
		{Sandbox, "http://127.0.0.1@example.com", false},
		{Sandbox, "http://127.0.0.1#@example.com", true},
		{Sandbox, "http://example.com#@127.0.0.1", false},
		{Production, "https://openapi.alipay.com/gateway.do", true},
		{Production, "http://openapi.alipay.com/gateway.do", false},
		{Production, "https://127.0.0.1/gateway.do", false},
		{Production, "https://LOCALHOST./", false},
		{Production, "https://[::ffff:127.0.0.1]/", false},
		{Production, "https://0.0.0.0/", false},
		{Production, "https://[::]/", false},
		{Production, "https://[::1%25lo]/", false},
		{Production, "https://pay.localhost/", false},
		{Production, "https://127.1/", false},
		{Production, "https://0177.0.0.1/", false},
		{Production, "https://2130706433/", false},
		{Production, "https://0x7f000001/", false},
		{Production, "https://0x7f.0.0.0x1/", false},
		{Production, "https://127.0.0.1./", false},
		{Production, "https://１２７.0.0.1/", false},
		{Production, "https://127。0。0。1/", false},
		{Production, "https://ｌｏｃａｌｈｏｓｔ/", false},
		{Production, "https://10.1.2.3/", true}, // a leased line
		{Production, "https://[2001:db8::1]:8443/", true},
		{Production, "https://user:secret@api.mch.weixin.qq.com", false},
		{Production, "ftp://api.mch.weixin.qq.com", false},
		{Production, "", false},
		{"", "https://api.mch.weixin.qq.com", false},
	}
	for _, c := range cases {
		if _, err := BaseURL(c.mode, c.url); (err == nil) != c.ok {
			t.Errorf("BaseURL(%q, %q): %v", c.mode, c.url, err)
		}
		if _, err := Follow(c.mode, c.url+"?token=SECRET"); (err == nil) != c.ok || (err != nil && strings.Contains(err.Error(), "SECRET")) {
			t.Errorf("Follow(%q, %q): %v", c.mode, c.url, err)
		}
	}
}

func TestAnErrorTellsNoPassword(t *testing.T) {
	for _, raw := range []string{"https://u:SECRET@example.com/?x=SECRET#SECRET", "https://SECRET:SECRET@[/", "https://example.com/%zz?SECRET"} {
		if _, err := BaseURL(Production, raw); err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%v", err)
		}
	}
}
