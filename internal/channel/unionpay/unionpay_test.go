package unionpay

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
	"paydesk/models"
)

// party is a key and its certificate.
type party struct {
	key  *rsa.PrivateKey
	cert *x509.Certificate
}

func (p party) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.cert.Raw}))
}

// certified makes a party of a key; by nil signs itself.
func certified(t *testing.T, key *rsa.PrivateKey, name string, by *party, authority bool, end time.Time) party {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(74012876543), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: end,
		IsCA: authority, BasicConstraintsValid: authority, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature}
	issuer, signer := c, key
	if by != nil {
		issuer, signer = by.cert, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, issuer, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return party{key, made}
}

// cast are made once: keys take a while.
var cast struct {
	once                                             sync.Once
	root, issuer, unionpay, merchant, expired, other party
}

func parties(t *testing.T) {
	t.Helper()
	cast.once.Do(func() {
		var keys [3]*rsa.PrivateKey
		for i := range keys {
			var err error
			if keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
				t.Fatal(err)
			}
		}
		later := time.Now().Add(24 * time.Hour)
		cast.root = certified(t, keys[0], "root", nil, true, later)
		cast.issuer = certified(t, keys[0], "issuer", &cast.root, true, later)
		cast.unionpay = certified(t, keys[1], "041@8310000000083040@"+owner+"@00016495", &cast.issuer, false, later)
		cast.expired = certified(t, keys[1], "041@8310000000083040@"+owner+"@00016494", &cast.issuer, false, time.Now().Add(-time.Minute))
		cast.merchant = certified(t, keys[2], "041@8310000000083040@somebody@00000001", &cast.issuer, false, later)
		cast.other = certified(t, keys[2], "041@8310000000083040@"+owner+"@00016495", nil, false, later)
	})
}

const merchant = "777290058110048"

func config(t *testing.T) Config {
	t.Helper()
	parties(t)
	pfx, err := pkcs12.Modern.Encode(cast.merchant.key, cast.merchant.cert, nil, "000000")
	if err != nil {
		t.Fatal(err)
	}
	return Config{BaseURL: "https://gateway.95516.com", FileURL: "https://filedownload.95516.com", MerchantID: merchant, Keystore: pfx, KeystorePassword: "000000",
		Roots: cast.root.pem() + cast.issuer.pem(), Mode: guard.Production}
}

func adapter(t *testing.T, name models.PaymentChannel) *Adapter {
	t.Helper()
	a, err := New(name, config(t))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func start(t *testing.T, a *Adapter, change func(*channel.StartRequest)) fields {
	t.Helper()
	r := channel.StartRequest{Ref: channel.Ref{Number: "20261122101112ABCDEFGHJKMN", Amount: money.New(1234, "CNY"), MadeAt: time.Date(2026, 11, 21, 16, 5, 9, 999e6, time.UTC)},
		Subject: "充值 <Top-up> & {100%}", ExpiresAt: time.Date(2026, 11, 21, 16, 35, 9, 1, time.UTC), ReturnURL: "https://pay.example/return/1", NotifyURL: "https://pay.example/notify"}
	if change != nil {
		change(&r)
	}
	s, err := a.Start(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if s.URL != "https://gateway.95516.com/gateway/api/frontTransReq.do" || s.Method != "POST" || s.QR != "" || s.Reference != "" || s.Outcome != nil {
		t.Errorf("%+v", s)
	}
	f := fields{}
	for _, field := range s.Fields {
		f[field.Name] = field.Value
	}
	return f
}

// PA-15, PA-16, HW-30 to HW-32: the form has the kind of bank, and the bank where it was chosen. txnTime is the payment's own, so the
// same payment is the same form.
func TestStart(t *testing.T) {
	f := start(t, adapter(t, models.ChannelUnionPayPersonal), func(r *channel.StartRequest) { r.BankCode = "ICBC" })
	again := start(t, adapter(t, models.ChannelUnionPayPersonal), func(r *channel.StartRequest) { r.BankCode = "ICBC" })
	if !maps.Equal(f, again) {
		t.Errorf("again: %v, first %v", again, f)
	}
	delete(f, "signature")
	want := fields{"version": "5.1.0", "encoding": "UTF-8", "signMethod": "01", "certId": "74012876543", "accessType": "0", "channelType": "07", "txnType": "01", "txnSubType": "01",
		"bizType": "000201", "merId": merchant, "orderId": "20261122101112ABCDEFGHJKMN", "txnTime": "20261122000509", "txnAmt": "1234", "currencyCode": "156",
		"payTimeout": "20261122003510", "frontUrl": "https://pay.example/return/1", "backUrl": "https://pay.example/notify", "orderDesc": "充值 Top-up  100%", "riskRateInfo": "{commodityName=充值 Top-up  100%}", "issInsCode": "ICBC"}
	if !maps.Equal(f, want) {
		t.Errorf("got  %v\nwant %v", f, want)
	}
	f = start(t, adapter(t, models.ChannelUnionPayEnterprise), nil)
	if _, has := f["issInsCode"]; has || f["bizType"] != "000202" {
		t.Errorf("enterprise, no bank: %v", f)
	}
	a := adapter(t, models.ChannelUnionPayPersonal)
	if _, err := a.Start(t.Context(), channel.StartRequest{Ref: channel.Ref{Number: "N1234567", Amount: money.New(1, "USD")}}); !errors.Is(err, channel.ErrDeclined) {
		t.Errorf("dollars: %v", err)
	}
}

// The openssl command line verifies what the adapter signs: SHA-256 with RSA over the lower hexadecimal SHA-256 of the sorted fields.
func TestSignatureByOpenSSL(t *testing.T) {
	f := start(t, adapter(t, models.ChannelUnionPayPersonal), nil)
	text := "accessType=0&backUrl=https://pay.example/notify&bizType=000201&certId=74012876543&channelType=07&currencyCode=156&encoding=UTF-8&frontUrl=https://pay.example/return/1&merId=777290058110048" +
		"&orderDesc=充值 Top-up  100%&orderId=20261122101112ABCDEFGHJKMN&payTimeout=20261122003510&riskRateInfo={commodityName=充值 Top-up  100%}&signMethod=01&txnAmt=1234&txnSubType=01&txnTime=20261122000509&txnType=01&version=5.1.0"
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	signature, err := base64.StdEncoding.DecodeString(f["signature"])
	if err != nil {
		t.Fatal(err)
	}
	script := `openssl x509 -in cert -pubkey -noout > key && printf %s "$(openssl dgst -sha256 -r < text | cut -d' ' -f1)" | openssl dgst -sha256 -verify key -signature sig`
	write("cert", []byte(cast.merchant.pem()))
	write("text", []byte(text))
	write("sig", signature)
	c := exec.CommandContext(t.Context(), "sh", "-c", script)
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil || !strings.Contains(string(out), "Verified OK") {
		t.Errorf("openssl: %s %v", out, err)
	}
}

// Merchants have keystores of both kinds.
func TestKeystores(t *testing.T) {
	good := config(t)
	for name, encoder := range map[string]*pkcs12.Encoder{"legacy RC2": pkcs12.LegacyRC2, "legacy 3DES": pkcs12.LegacyDES, "modern": pkcs12.Modern2023} {
		c := good
		var err error
		if c.Keystore, err = encoder.Encode(cast.merchant.key, cast.merchant.cert, []*x509.Certificate{cast.issuer.cert}, "000000"); err != nil {
			t.Fatal(err)
		}
		if a, err := New(models.ChannelUnionPayPersonal, c); err != nil || a.certID != "74012876543" {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]func(*Config){
		"password": func(c *Config) { c.KeystorePassword = "SECRET" },
		"keystore": func(c *Config) { c.Keystore = []byte("SECRET") },
		"roots":    func(c *Config) { c.Roots = "SECRET" },
		"merchant": func(c *Config) { c.MerchantID = "7772900581" },
		"loopback": func(c *Config) { c.BaseURL = "http://127.0.0.1" },
		"files":    func(c *Config) { c.FileURL = "http://127.0.0.1" },
		"mode":     func(c *Config) { c.Mode = guard.Sandbox },
	} {
		c := good
		change(&c)
		if _, err := New(models.ChannelUnionPayPersonal, c); err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), "000000") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(models.ChannelAlipay, good); err == nil {
		t.Error("unionpay as ALIPAY")
	}
}

// told is a notification signed by a party, with whatever certificate.
func told(t *testing.T, f fields, by, certificate party) channel.Notification {
	t.Helper()
	f = maps.Clone(f)
	f["signPubKeyCert"] = certificate.pem()
	s := &Adapter{key: by.key}
	if err := s.sign(f); err != nil {
		t.Fatal(err)
	}
	form := url.Values{}
	for name, value := range f {
		form.Set(name, value)
	}
	return channel.Notification{Body: []byte(form.Encode())}
}

func notice(change map[string]string) fields {
	f := fields{"version": "5.1.0", "merId": merchant, "bizType": "000201", "txnType": "01", "orderId": "20261122101112ABCDEFGHJKMN", "queryId": "202611221234567890123", "respCode": "00",
		"txnAmt": "1234", "currencyCode": "156", "txnTime": "20261231235900", "traceTime": "0101000001", "reqReserved": "P1", "empty": ""}
	maps.Copy(f, change)
	return f
}

// Who signed it decides: UnionPay by name and chain, or a certificate that is configured itself.
func TestWhoseSignature(t *testing.T) {
	a := adapter(t, models.ChannelUnionPayPersonal)
	e, err := a.ParseNotification(t.Context(), told(t, notice(nil), cast.unionpay, cast.unionpay))
	want := channel.Event{ID: "01-202611221234567890123-00", Number: "20261122101112ABCDEFGHJKMN", Reference: "202611221234567890123", State: channel.StatePaid, Amount: money.New(1234, "CNY"),
		PaidAt: time.Date(2026, 12, 31, 16, 0, 1, 0, time.UTC), Detail: "00"}
	if err != nil || e != want {
		t.Errorf("%+v %v", e, err)
	}
	for name, by := range map[string][2]party{"another merchant of the same authority": {cast.merchant, cast.merchant}, "a certificate of its own": {cast.other, cast.other},
		"UnionPay's certificate with another key": {cast.merchant, cast.unionpay}, "a certificate that has run out": {cast.expired, cast.expired}} {
		if e, err := a.ParseNotification(t.Context(), told(t, notice(nil), by[0], by[1])); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %+v %v", name, e, err)
		}
	}
	c := config(t)
	c.Roots = cast.other.pem() + cast.expired.pem()
	pinned, err := New(models.ChannelUnionPayPersonal, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pinned.ParseNotification(t.Context(), told(t, notice(nil), cast.other, cast.other)); err != nil {
		t.Errorf("pinned: %v", err)
	}
	if _, err := pinned.ParseNotification(t.Context(), told(t, notice(nil), cast.unionpay, cast.unionpay)); !errors.Is(err, channel.ErrForged) {
		t.Errorf("not pinned: %v", err)
	}
	if _, err := pinned.ParseNotification(t.Context(), told(t, notice(nil), cast.expired, cast.expired)); !errors.Is(err, channel.ErrForged) {
		t.Errorf("pinned, and out of its time: %v", err)
	}
}

// A payment is 01, a refund 04 (not 31): no kind is taken for the other. What is not ours is refused, however well signed.
func TestKindsOfNotification(t *testing.T) {
	a := adapter(t, models.ChannelUnionPayPersonal)
	for _, c := range []struct {
		change map[string]string
		want   channel.Event // its state and numbers; none: refused
	}{
		{map[string]string{"txnType": "04"}, channel.Event{Number: "P1", RefundNumber: "20261122101112ABCDEFGHJKMN", State: channel.StateRefunded, Amount: money.New(1234, "CNY")}},
		{map[string]string{"txnType": "04", "respCode": "60"}, channel.Event{Number: "P1", RefundNumber: "20261122101112ABCDEFGHJKMN", State: channel.StateRefundFailed}},
		{map[string]string{"txnType": "04", "respCode": "05"}, channel.Event{Number: "P1", RefundNumber: "20261122101112ABCDEFGHJKMN", State: channel.StatePending}},
		{map[string]string{"respCode": "A6"}, channel.Event{Number: "20261122101112ABCDEFGHJKMN", State: channel.StatePaid, Amount: money.New(1234, "CNY")}},
		{map[string]string{"respCode": "01"}, channel.Event{Number: "20261122101112ABCDEFGHJKMN", State: channel.StateDeclined}},
		{map[string]string{"respCode": "61"}, channel.Event{Number: "20261122101112ABCDEFGHJKMN", State: channel.StatePending}},
		// The answer to a question, posted as a notification: it is the question that succeeded.
		{map[string]string{"origRespCode": "66"}, channel.Event{Number: "20261122101112ABCDEFGHJKMN", State: channel.StatePending}},
		{map[string]string{"origRespCode": "00"}, channel.Event{Number: "20261122101112ABCDEFGHJKMN", State: channel.StatePaid, Amount: money.New(1234, "CNY")}},
		{map[string]string{"respCode": "34"}, channel.Event{Number: "20261122101112ABCDEFGHJKMN", State: channel.StatePending}},
		{map[string]string{"txnType": "31"}, channel.Event{}},
		{map[string]string{"txnType": ""}, channel.Event{}},
		{map[string]string{"merId": "777290058110049"}, channel.Event{}},
		{map[string]string{"bizType": "000202"}, channel.Event{}},
		{map[string]string{"orderId": ""}, channel.Event{}},
		{map[string]string{"queryId": ""}, channel.Event{}},
		{map[string]string{"currencyCode": "840"}, channel.Event{}},
		{map[string]string{"txnAmt": "12.34"}, channel.Event{}},
		{map[string]string{"txnAmt": ""}, channel.Event{}},
	} {
		e, err := a.ParseNotification(t.Context(), told(t, notice(c.change), cast.unionpay, cast.unionpay))
		if c.want.State == "" {
			if !errors.Is(err, channel.ErrForged) {
				t.Errorf("%v was taken: %+v", c.change, e)
			}
			continue
		}
		if err != nil || e.State != c.want.State || e.Number != c.want.Number || e.RefundNumber != c.want.RefundNumber || e.Amount != c.want.Amount {
			t.Errorf("%v: %+v %v", c.change, e, err)
		}
	}
	n := told(t, notice(nil), cast.unionpay, cast.unionpay)
	for _, add := range []string{"&orderId=20261122101112ABCDEFGHJKMX", "&new=1", "%"} {
		if e, err := a.ParseNotification(t.Context(), channel.Notification{Body: append(append([]byte{}, n.Body...), add...)}); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s was taken: %+v", add, e)
		}
	}
}
