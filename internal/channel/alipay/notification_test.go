package alipay

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// A letter to another merchant is not taken for ours, however it is cut; an honest subject may have & in it.
func TestNotificationsOfOneReadingOnly(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := x509.MarshalPKIXPublicKey(&key.PublicKey)
	a, err := New(Config{BaseURL: "https://openapi.alipay.com/gateway.do", AppID: "1", SellerID: "2088", Mode: guard.Production,
		PrivateKey: base64.StdEncoding.EncodeToString(x509.MarshalPKCS1PrivateKey(key)), AlipayPublicKey: base64.StdEncoding.EncodeToString(der)})
	if err != nil {
		t.Fatal(err)
	}
	text := func(f map[string]string) string {
		var pairs []string
		for _, name := range slices.Sorted(maps.Keys(f)) {
			pairs = append(pairs, name+"="+f[name])
		}
		return strings.Join(pairs, "&")
	}
	// told signs the text that the fields make, as Alipay would.
	told := func(f map[string]string, more string) (channel.Event, error) {
		t.Helper()
		sum := sha256.Sum256([]byte(text(f)))
		signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{"sign_type": {"RSA2"}, "sign": {base64.StdEncoding.EncodeToString(signature)}}
		for name, value := range f {
			form.Set(name, value)
		}
		return a.ParseNotification(t.Context(), channel.Notification{Body: []byte(form.Encode() + more)})
	}
	letter := func(change map[string]string) map[string]string {
		f := map[string]string{"app_id": "1", "seller_id": "2088", "out_trade_no": "P1", "trade_no": "A1", "notify_id": "N1", "trade_status": "TRADE_SUCCESS", "total_amount": "12.34",
			"gmt_payment": "2026-11-22 10:00:00", "subject": "R&D & Q&A = {50%} &c=d"}
		maps.Copy(f, change)
		return f
	}
	if e, err := told(letter(nil), ""); err != nil || e.Number != "P1" || e.State != channel.StatePaid {
		t.Errorf("honest: %+v %v", e, err)
	}
	theirs := letter(map[string]string{"app_id": "666", "body": "x", "a": "y&app_id=1"})
	ours := letter(map[string]string{"body": "x", "a": "y"})
	ours["app_id"] = "1&app_id=666"
	if text(theirs) != text(ours) {
		t.Fatal("the text was to stay the same")
	}
	for what, f := range map[string]map[string]string{
		"cut elsewhere":        ours,
		"the seller hidden":    letter(map[string]string{"body": "x&seller_id=666"}),
		"the amount hidden":    letter(map[string]string{"subject": "x&total_amount=0.01"}),
		"a name with fields":   letter(map[string]string{"app=x&app_id": "666"}),
		"a name in other case": letter(map[string]string{"App_id": "666"}),
	} {
		if e, err := told(f, ""); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %+v %v", what, e, err)
		}
	}
	if e, err := told(letter(nil), "&out_trade_no=P2"); !errors.Is(err, channel.ErrForged) {
		t.Errorf("twice: %+v %v", e, err)
	}
}
