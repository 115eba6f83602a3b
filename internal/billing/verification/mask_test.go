package verification

import "testing"

func TestMasks(t *testing.T) {
	for phone, want := range map[string]string{"13812345678": "138****5678", "+86 138 0013 8001": "138****8001", "+8613800138001": "+861****8001", "+1 202 555 0143": "20****43",
		"(021) 5555-0104": "021****0104", "12345": "1****5", "1": "****", "+1": "+****", "+86 1": "+****"} {
		if got := maskPhone(phone); got != want {
			t.Errorf("%s: %s, want %s", phone, got, want)
		}
	}
	for email, want := range map[string]string{"a@example.com": "a***@example.com", "finance@yuntu.example.com": "f***@yuntu.example.com", "财务@example.cn": "财***@example.cn", `"a@b"@example.com`: `"***@example.com`, "": "***", "@x": "***"} {
		if got := maskEmail(email); got != want {
			t.Errorf("%s: %s, want %s", email, got, want)
		}
	}
}
