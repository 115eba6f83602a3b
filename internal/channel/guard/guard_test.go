package guard

import "testing"

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
		{Production, "https://openapi.alipay.com/gateway.do", true},
		{Production, "http://openapi.alipay.com/gateway.do", false},
		{Production, "https://127.0.0.1/gateway.do", false},
		{Production, "https://LOCALHOST./", false},
		{Production, "https://[::ffff:127.0.0.1]/", false},
		{Production, "https://0.0.0.0/", false},
		{Production, "https://user:secret@api.mch.weixin.qq.com", false},
		{Production, "ftp://api.mch.weixin.qq.com", false},
		{Production, "", false},
		{"", "https://api.mch.weixin.qq.com", false},
	}
	for _, c := range cases {
		if _, err := BaseURL(c.mode, c.url); (err == nil) != c.ok {
			t.Errorf("BaseURL(%q, %q): %v", c.mode, c.url, err)
		}
	}
}
