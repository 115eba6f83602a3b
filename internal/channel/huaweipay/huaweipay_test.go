package huaweipay

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// made are RSA keys by their bits: they take a while.
var made = struct {
	sync.Mutex
	keys map[int]*rsa.PrivateKey
}{keys: map[int]*rsa.PrivateKey{}}

// keys are an RSA key in PEM and an SM2 key's point in hexadecimal, and its DER.
func keys(t *testing.T, bits int) (private, public string, der []byte) {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	k, err := made.keys[bits], error(nil)
	if k == nil {
		k, err = rsa.GenerateKey(rand.Reader, bits)
		made.keys[bits] = k
	}
	if err != nil {
		t.Fatal(err)
	}
	inner, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if der, err = smx509.MarshalPKIXPublicKey(&s.PublicKey); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: inner})), hex.EncodeToString(der[len(der)-65:]), der
}

func config(private, public string) Config {
	return Config{BaseURL: "https://petalpay-developer.cloud.huawei.com.cn", MerchantNumber: "101", AppID: "57", AuthID: "120", PrivateKey: private, PublicKey: public,
		PageURL: "https://pay.example/huawei", Mode: guard.Production}
}

func TestNewRefusesWithoutTellingKeys(t *testing.T) {
	private, public, der := keys(t, 3072)
	short, _, _ := keys(t, 2048)
	block, _ := pem.Decode([]byte(private))
	for what, change := range map[string]func(*Config){
		"PEM":         func(*Config) {},
		"base64":      func(c *Config) { c.PrivateKey = base64.StdEncoding.EncodeToString(block.Bytes) },
		"SPKI":        func(c *Config) { c.PublicKey = string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})) },
		"bare SPKI":   func(c *Config) { c.PublicKey = base64.StdEncoding.EncodeToString(der) + "\n" },
		"hexadecimal": func(c *Config) { c.PublicKey = " " + strings.ToUpper(public) + "\n" },
	} {
		c := config(private, public)
		change(&c)
		if _, err := New(c); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	off := public[:64] + strings.Repeat("f", 66) // not on the curve
	for what, change := range map[string]func(*Config){
		"2048 bits": func(c *Config) { c.PrivateKey = short }, "no key": func(c *Config) { c.PrivateKey = "SECRET" }, "no public key": func(c *Config) { c.PublicKey = "SECRET" },
		"no point": func(c *Config) { c.PublicKey = off }, "an RSA key": func(c *Config) { c.PublicKey = private }, "no merchant": func(c *Config) { c.MerchantNumber = "" },
		"no app": func(c *Config) { c.AppID = "" }, "no auth": func(c *Config) { c.AuthID = "" }, "no page": func(c *Config) { c.PageURL = "" },
		"page here": func(c *Config) { c.PageURL = "https://localhost/pay" }, "plain page": func(c *Config) { c.PageURL = "http://pay.example/" },
		"here": func(c *Config) { c.BaseURL = "https://localhost" }, "sandbox": func(c *Config) { c.Mode = guard.Sandbox },
	} {
		c := config(private, public)
		change(&c)
		if _, err := New(c); err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), short[40:80]) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// The example of Huawei's documents ("公共说明", rule of signatures), and what they say of null and empty.
func TestCanonical(t *testing.T) {
	fields, err := fieldsOf([]byte(`{"appId":"5765880207854262xxx","callbackUrl":"https://www.xxx.com/hw_notify","currency":"CNY","mercNo":"101723200xxx","mercOrderNo":"2405171027547xxx",
		"payload":"shop|h8ahnJA8xxRXVw","totalAmount":5,"tradeSummary":"test","subOrders":[{"mercNo":"101723200xxx","mercOrderNo":"abcxxx1"},{"mercNo":"101723201xxx","mercOrderNo":"abcxxx2"}],
		"sign":"x","none":null,"empty":"","big":12345678901234567890}`))
	if err != nil {
		t.Fatal(err)
	}
	want := "appId=5765880207854262xxx&big=12345678901234567890&callbackUrl=https://www.xxx.com/hw_notify&currency=CNY&empty=&mercNo=101723200xxx&mercOrderNo=2405171027547xxx&payload=shop|h8ahnJA8xxRXVw&" +
		"subOrders=mercNo=101723200xxx&mercOrderNo=abcxxx1,mercNo=101723201xxx&mercOrderNo=abcxxx2&totalAmount=5&tradeSummary=test"
	if got := canonical(fields); got != want {
		t.Errorf("%s\n%s", got, want)
	}
}

// The header as it is documented: bodySign over what is sent, headerSign over all else, both PSS with a salt as long as the hash.
func TestAuthorization(t *testing.T) {
	private, public, _ := keys(t, 3072)
	a, err := New(config(private, public))
	if err != nil {
		t.Fatal(err)
	}
	text, err := a.authorization("/api/v2/aggr/transactions/merc-orders/1?x=y")
	if err != nil {
		t.Fatal(err)
	}
	h, err := fieldsOf([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	verify := func(text string, signature any) {
		t.Helper()
		raw, _ := base64.StdEncoding.DecodeString(signature.(string))
		sum := sha256.Sum256([]byte(text))
		if err := rsa.VerifyPSS(&a.private.PublicKey, 5, sum[:], raw, &rsa.PSSOptions{SaltLength: 32}); err != nil {
			t.Error(err)
		}
	}
	verify("/api/v2/aggr/transactions/merc-orders/1?x=y", h["bodySign"])
	sign := h["headerSign"]
	delete(h, "headerSign")
	verify(canonical(h), sign)
	if h["callerId"] != "101" || h["authId"] != "120" || len(h["traceId"].(string)) != 32 || len(h) != 5 {
		t.Error(h)
	}
}

// The wallet goes to Huawei's hosted sandbox where the order string says so, in a field that is signed with the others.
func TestOrderStringOfTheHostedSandbox(t *testing.T) {
	private, public, _ := keys(t, 3072)
	for host, want := range map[string]any{"petalpay-developer.cloud.huawei.com.cn": nil, "petalpay-developer-sandbox.cloud.huawei.com.cn": `{"sandbox_flag": true}`} {
		c := config(private, public)
		c.BaseURL = "https://" + host
		a, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		text, err := a.orderString("124")
		if err != nil {
			t.Fatal(err)
		}
		order, err := fieldsOf([]byte(text))
		if err != nil || order["reserved"] != want {
			t.Errorf("%s: %s %v", host, text, err)
		}
		signature, _ := base64.StdEncoding.DecodeString(order["sign"].(string))
		sum := sha256.Sum256([]byte(canonical(order)))
		if err := rsa.VerifyPSS(&a.private.PublicKey, 5, sum[:], signature, &rsa.PSSOptions{SaltLength: 32}); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
}

// Lesson 3: only a certain refusal ends a payment; whatever leaves its outcome open is asked for later.
func TestErrors(t *testing.T) {
	for _, c := range []struct {
		result, sub        string
		start, refund, ask error
	}{
		{"500000", "UNKNOW_ERROR", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{"400000", "UNKNOW_ERROR", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{"400000", "", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{"400000", "CHECK_ORDER_STATUS", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{"400000", "RETRY_TOO_MANY", channel.ErrDeclined, channel.ErrDeclined, channel.ErrUnknown},
		{"400000", "CHECK_AMOUNT_INVALID", channel.ErrDeclined, channel.ErrDeclined, channel.ErrUnknown},
		{"400000", "NOT_IN_VALIDITY_PERIOD", channel.ErrDeclined, channel.ErrDeclined, channel.ErrUnknown},
		{"400000", "ORDER_CONCURRENT_ERROR", channel.ErrDeclined, channel.ErrUnknown, channel.ErrUnknown},
		{"400000", "INVALID_ARGUMENTS", channel.ErrDeclined, channel.ErrDeclined, channel.ErrUnknown},
		{"400000", "REJECTED_BY_RISK_CONTROL", channel.ErrDeclined, channel.ErrDeclined, channel.ErrUnknown},
		{"400000", "BANK_CARD_NOT_SUPPORT", channel.ErrDeclined, channel.ErrUnknown, channel.ErrUnknown},
		{"400000", "PAY_ORDER_NOT_EXIST", channel.ErrDeclined, channel.ErrDeclined, channel.ErrUnknown},
		{"400000", "INVALID_MERCNO", channel.ErrUnavailable, channel.ErrUnavailable, channel.ErrUnavailable},
		{"400000", "INVALID_APPID", channel.ErrUnavailable, channel.ErrUnavailable, channel.ErrUnavailable},
		{"100000", "INSUFFICIENT_PERMISSION", channel.ErrUnavailable, channel.ErrUnavailable, channel.ErrUnavailable},
		{"200001", "INVALID_TIME", channel.ErrUnavailable, channel.ErrUnavailable, channel.ErrUnavailable},
		{"200001", "INVALID_DUPLICATE_REQUEST", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
		{"200002", "INVALID_SIGNATURE", channel.ErrUnavailable, channel.ErrUnavailable, channel.ErrUnavailable},
		{"300000", "CALL_FREQUENCY_LIMITED", channel.ErrUnavailable, channel.ErrUnavailable, channel.ErrUnavailable},
		{"999999", "NEW", channel.ErrUnknown, channel.ErrUnknown, channel.ErrUnknown},
	} {
		err := &refusal{c.result, c.sub}
		for what, x := range map[string][2]error{"start": {startError(err), c.start}, "refund": {refundError(err), c.refund}, "ask": {askError(err), c.ask}} {
			if !errors.Is(x[0], x[1]) {
				t.Errorf("%s %s, %s: %v, not %v", c.result, c.sub, what, x[0], x[1])
			}
		}
	}
}

// A gateway's refusal may come unsigned; one that could end something may not, nor may an answer.
func TestUnsignedAnswers(t *testing.T) {
	private, public, _ := keys(t, 3072)
	a, err := New(config(private, public))
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]error{
		`{"resultCode":"200002","resultDesc":"签名错误","subCode":"INVALID_SIGNATURE"}`:   channel.ErrUnavailable,
		`{"resultCode":"200002","subCode":"INVALID_SIGNATURE","sign":"MEUC"}`:         channel.ErrUnknown,
		`{"resultCode":"400000","subCode":"INVALID_ARGUMENTS"}`:                       channel.ErrUnknown,
		`{"resultCode":"400000","subCode":"MERC_ORDER_NOT_EXIST","sign":""}`:          channel.ErrUnknown,
		`{"resultCode":"000000","orderStatus":"TRX_SUCCESS"}`:                         channel.ErrUnknown,
		`{"resultCode":"000000","orderStatus":"TRX_SUCCESS","sign":"` + public + `"}`: channel.ErrUnknown,
		`{"orderStatus":"TRX_SUCCESS"}`:                                               channel.ErrUnknown, ``: channel.ErrUnknown, `[]`: channel.ErrUnknown, `<html>`: channel.ErrUnknown,
	} {
		if err := startError(a.read([]byte(body), nil)); !errors.Is(err, want) {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestOrderStates(t *testing.T) {
	amount := int64(1234)
	for status, want := range map[string]channel.State{"TRX_SUCCESS": channel.StatePaid, "TRX_FAILED": channel.StateDeclined, "TRX_APPLY": channel.StatePending, "TRX_PROC": channel.StatePending, "NEW": channel.StatePending} {
		e, err := order{OrderStatus: status, MercOrderNo: "1", SysTransOrderNo: "2", Currency: "CNY", TotalAmount: &amount, FinishTime: "2023-02-23T10:02:04.000+0800"}.event()
		if err != nil || e.State != want || (want == channel.StatePaid && e.PaidAt.Format("150405") != "020204") {
			t.Errorf("%s: %+v %v", status, e, err)
		}
	}
	if _, err := (order{OrderStatus: "TRX_SUCCESS", MercOrderNo: "1", SysTransOrderNo: "2", Currency: "CNY"}).event(); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("paid, but what? %v", err)
	}
}

// Columns are found by name, in any order and among new ones; a bill that cannot be read is no bill.
func TestBill(t *testing.T) {
	head := "新列,手续费(元),交易金额(元),华为支付退款订单号,商户退款订单号,商户订单号,华为支付订单号,交易状态,交易类型,交易时间\r\n"
	from := time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC)
	lines, err := parse(head+"x,0.07,12.34,,,\tP1,`H1,交易成功,支付,2026-11-21 23:59:59\r\nx,0.00,1.00,HR1,R1,P1,,退款失败,退款,2026-11-21 00:00:00\r\n", from)
	if err != nil || len(lines) != 2 || lines[0].Number != "P1" || lines[0].Reference != "H1" || lines[0].Fee.Minor != 7 || lines[0].At.Hour() != 15 ||
		lines[1].State != channel.StateRefundFailed || lines[1].RefundNumber != "R1" || lines[1].Reference != "HR1" {
		t.Errorf("%+v %v", lines, err)
	}
	if got, err := parse(strings.Replace(head, "手续费", "费用", 1), from); err == nil {
		t.Errorf("column missing: %+v", got)
	}
	ours := "20261121101112ABCDEFGHJKMN"
	for what, text := range map[string]string{
		"new state": "x,0,1,,,P1,H1,退票,支付,2026-11-21 23:59:59", "no number": "P1,0,1,,,,H1,交易成功,支付,2026-11-21 23:59:59", "fen": "x,0,1.234,,,P1,H1,交易成功,支付,2026-11-21 23:59:59",
		"no time": "x,0,1,,,\tP1,H1,交易成功,支付,", "paid refund": "x,0,1,HR,R1,P1,H1,交易成功,退款,2026-11-21 23:59:59", "short": "P1,0",
	} {
		if got, err := parse(head+strings.Replace(text, "P1", ours, 1), from); err == nil {
			t.Errorf("%s, ours: %+v", what, got)
		}
		if got, err := parse(head+text, from); err != nil || len(got) != 1 || got[0].Number != "" || !got[0].At.Equal(from) || got[0].State != channel.StatePaid || got[0].Raw == "" {
			t.Errorf("%s, somebody else's: %+v %v", what, got, err)
		}
	}
	if _, err := linesOf([]byte("not a zip"), from); err == nil {
		t.Error("not a zip")
	}
}
