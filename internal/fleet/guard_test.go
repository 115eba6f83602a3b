package fleet_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/channel/guard/guardtest"
	"paydesk/internal/channel/tenpay"
	"paydesk/internal/channel/unionpay"
	"paydesk/internal/fleet"
	"paydesk/internal/money"
	"paydesk/internal/platform/config"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv"
	"paydesk/internal/sandbox"
	"paydesk/models"
)

// providers are the sandbox, whatever address it is asked at, with its books and clock, and a production configuration with keys that fit.
// Which home it has does not matter to a guard.
func providers(t *testing.T) (*sandbox.Sandbox, config.Config, *database.DB, *shiftedClock) {
	t.Helper()
	home, clock := testenv.Embedded(t), &shiftedClock{}
	s := sandbox.New(sandbox.Config{DB: home.DB, Clock: clock, PublicURL: func() string { return "http://127.0.0.1:1" }, Log: slog.New(slog.DiscardHandler)})
	testenv.Keep(t, home, sandbox.KeysSetting)
	file := func(text string) string {
		f, err := os.CreateTemp(t.TempDir(), "")
		if err == nil {
			_, err = f.WriteString(text)
			err = errors.Join(err, f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		return filepath.Clean(f.Name())
	}
	ctx := t.Context()
	ali, err1 := s.Alipay(ctx)
	wechat, err2 := s.WeChatPay(ctx)
	union, err3 := s.UnionPay(ctx)
	huawei, err4 := s.HuaweiPay(ctx)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	certificate, key := certificate(t)
	return s, config.Config{
		Alipay: config.Alipay{BaseURL: "https://openapi.alipay.com/gateway.do", AppID: ali.AppID, SellerID: ali.SellerID, PrivateKey: file(ali.PrivateKey), PublicKey: file(ali.AlipayPublicKey)},
		WeChat: config.WeChat{BaseURL: "https://api.mch.weixin.qq.com", AppID: wechat.AppID, MchID: wechat.MchID, CertificateSerial: wechat.CertificateSerial, PrivateKey: file(wechat.PrivateKey),
			PublicKeyID: wechat.PublicKeyID, PublicKey: file(wechat.PublicKey), APIv3Key: wechat.APIv3Key},
		QQ:     config.QQ{BaseURL: "https://qpay.qq.com", RefundURL: "https://api.qpay.qq.com", MchID: "1", APIKey: "k", Operator: "o", OperatorPass: "p", Certificate: file(certificate), PrivateKey: file(key)},
		Tenpay: config.Tenpay{BaseURL: "https://gw.tenpay.com", MerchantURL: "https://api.mch.tenpay.com", Partner: "1", Key: "k", Operator: "o", OperatorPass: "p", Certificate: file(certificate), PrivateKey: file(key)},
		UnionPay: config.UnionPay{BaseURL: "https://gateway.95516.com", FileURL: "https://filedownload.95516.com", MerchantID: union.MerchantID, Keystore: file(string(union.Keystore)),
			KeystorePassword: union.KeystorePassword, Roots: file(union.Roots)},
		Huawei: config.Huawei{BaseURL: "https://petalpay-developer.cloud.huawei.com.cn", MerchantNumber: huawei.MerchantNumber, AppID: huawei.AppID, AuthID: huawei.AuthID,
			PrivateKey: file(huawei.PrivateKey), PublicKey: file(huawei.PublicKey), PageURL: "https://pay.example/huawei"},
		Stripe: config.Stripe{BaseURL: "https://api.stripe.com", SecretKey: "sk_live_1", WebhookSecret: "whsec_1"},
		PayPal: config.PayPal{BaseURL: "https://api-m.paypal.com", ClientID: "c", ClientSecret: "s", WebhookID: "w", MerchantID: "m"},
	}, home.DB, clock
}

func certificate(t *testing.T) (certificate, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	inner, err2 := x509.MarshalPKCS8PrivateKey(k)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: inner}))
}

// parts are the merchant accounts, one at a time, with every address of them.
var parts = map[string]func(from, to *config.Config) []*string{
	"alipay":    func(from, to *config.Config) []*string { to.Alipay = from.Alipay; return []*string{&to.Alipay.BaseURL} },
	"wechatpay": func(from, to *config.Config) []*string { to.WeChat = from.WeChat; return []*string{&to.WeChat.BaseURL} },
	"qq": func(from, to *config.Config) []*string {
		to.QQ = from.QQ
		return []*string{&to.QQ.BaseURL, &to.QQ.RefundURL}
	},
	"tenpay": func(from, to *config.Config) []*string {
		to.Tenpay = from.Tenpay
		return []*string{&to.Tenpay.BaseURL, &to.Tenpay.MerchantURL}
	},
	"unionpay": func(from, to *config.Config) []*string {
		to.UnionPay = from.UnionPay
		return []*string{&to.UnionPay.BaseURL, &to.UnionPay.FileURL}
	},
	"huaweipay": func(from, to *config.Config) []*string {
		to.Huawei = from.Huawei
		return []*string{&to.Huawei.BaseURL, &to.Huawei.PageURL}
	},
	"card":   func(from, to *config.Config) []*string { to.Stripe = from.Stripe; return []*string{&to.Stripe.BaseURL} },
	"paypal": func(from, to *config.Config) []*string { to.PayPal = from.PayPal; return []*string{&to.PayPal.BaseURL} },
}

// No adapter in production can be pointed at this machine, however it is written, nor at plain http; none that is play money at another.
func TestNoAdapterIsPointedAtTheWrongWorld(t *testing.T) {
	s, all, _, _ := providers(t)
	made := 0
	for name, part := range parts {
		var c config.Config
		n := len(part(&all, &c))
		registry, err := fleet.Production(&c)
		if made += len(registry); err != nil || len(registry) == 0 {
			t.Fatalf("%s as it should be: %v", name, err)
		}
		for i := range n {
			for _, bad := range []string{"http://pay.example", "https://localhost", "https://127.0.0.1:8443", "https://127.1", "https://[::1]", "https://[::ffff:127.0.0.1]", "https://0.0.0.0", "https://[::]",
				"https://2130706433", "https://0x7f000001", "https://0177.0.0.1", "https://pay.localhost", "https://user@pay.example", "https://１２７.0.0.1", "pay.example", "ftp://pay.example"} {
				var c config.Config
				*part(&all, &c)[i] = bad
				if _, err := fleet.Production(&c); err == nil {
					t.Errorf("%s, address %d: production takes %s", name, i, bad)
				}
			}
		}
	}
	if made != len(fleet.Names) {
		t.Errorf("%d of %d channels", made, len(fleet.Names))
	}
	const refused = "sandbox mode takes loopback addresses only"
	for _, foreign := range []string{"http://pay.example", "https://openapi.alipay.com", "http://127.0.0.1.example.com", "http://localhost.example.com", "http://10.0.0.1:8080", "http://[2001:db8::1]", "http://127.0.0.1@pay.example",
		"http://user@127.0.0.1:1", "http://pay.example#@127.0.0.1"} {
		for name, a := range fleet.Sandbox(s, func() string { return foreign }, nil) {
			_, err := a.Query(t.Context(), channel.Ref{Number: "P1", Amount: money.New(1, "CNY"), MadeAt: time.Now()})
			if err == nil || (!strings.Contains(err.Error(), refused) && !strings.Contains(err.Error(), "without user and password")) {
				t.Errorf("%s is pointed at %s: %v", name, foreign, err)
			}
		}
	}
	secondAddresses(t, s, refused)
}

// secondAddresses are those that our own configuration of the sandbox never sets apart.
func secondAddresses(t *testing.T, s *sandbox.Sandbox, refused string) {
	t.Helper()
	const here, foreign = "http://127.0.0.1:1", "http://pay.example"
	union, err := s.UnionPay(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err1 := tenpay.NewQQ(tenpay.QQConfig{BaseURL: here, RefundURL: foreign, MchID: "1", APIKey: "k", Operator: "o", OperatorPass: "p", Mode: guard.Sandbox})
	_, err2 := tenpay.New(tenpay.Config{BaseURL: here, MerchantURL: foreign, Partner: "1", Key: "k", Mode: guard.Sandbox})
	_, err3 := unionpay.New(models.ChannelUnionPayPersonal, unionpay.Config{BaseURL: here, FileURL: foreign, MerchantID: union.MerchantID, Keystore: union.Keystore,
		KeystorePassword: union.KeystorePassword, Roots: union.Roots, Mode: guard.Sandbox})
	for i, err := range []error{err1, err2, err3} {
		if err == nil || !strings.Contains(err.Error(), refused) {
			t.Errorf("second address %d: %v", i, err)
		}
	}
}

// ask makes every call that an adapter knows, and gives what came of them.
func ask(t *testing.T, a channel.Adapter) map[string]error {
	t.Helper()
	ctx := t.Context()
	currency := money.Currency("CNY")
	if a.Channel() == models.ChannelBankCard || a.Channel() == models.ChannelPayPal {
		currency = "USD"
	}
	p := channel.Ref{Number: "P12345678901234567890", Reference: "R1", Amount: money.New(100, currency), MadeAt: time.Now()}
	out := map[string]error{"close": a.Close(ctx, p)}
	_, out["query"] = a.Query(ctx, p)
	_, out["refund"] = a.Refund(ctx, channel.RefundRequest{Payment: p, Refund: p, NotifyURL: "https://us.example/notify"})
	_, out["query of a refund"] = a.QueryRefund(ctx, p, p)
	_, out["statement"] = a.Statement(ctx, channel.DayOf(a, time.Now()).Next(-2))
	started, err := a.Start(ctx, channel.StartRequest{Ref: p, Subject: "x", ReturnURL: "https://us.example/return", NotifyURL: "https://us.example/notify", CardToken: "pm_1", ExpiresAt: time.Now().Add(time.Hour)})
	if err != nil || started.URL == "" { // a form or an address needs no call
		out["start"] = err
	}
	if cards, ok := a.(channel.CardReader); ok && a.Channel() == models.ChannelBankCard {
		_, out["inspect"] = cards.Inspect(ctx, "pm_1")
	}
	return out
}

// An address counts where it leads to: a name that resolves to this machine is refused when it is dialled, whoever owns the name.
func TestProductionNeverReachesThisMachine(t *testing.T) {
	_, all, _, _ := providers(t)
	var reached atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			reached.Add(1)
		}
	}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	at, _ := url.Parse(server.URL)
	guardtest.Names(t, netip.MustParseAddr("127.0.0.1"))
	var c config.Config
	for _, part := range parts {
		for _, address := range part(&all, &c) {
			*address = "https://pay.example:" + at.Port()
		}
	}
	registry, err := fleet.Production(&c)
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range registry {
		for call, err := range ask(t, a) {
			if err != nil && !errors.Is(err, channel.ErrUnavailable) {
				t.Errorf("%s, %s: %v", name, call, err)
			}
		}
	}
	if reached.Load() != 0 {
		t.Errorf("%d connections reached this machine", reached.Load())
	}
}

// A provider that sends us elsewhere is not followed: neither by a redirect nor by an address in its answer.
func TestNoAdapterIsSentElsewhere(t *testing.T) {
	s, _, db, clock := providers(t)
	var trapped atomic.Int64
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { trapped.Add(1) }))
	defer trap.Close()
	var asked atomic.Int64
	sender := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, trap.URL, http.StatusTemporaryRedirect)
	}))
	defer sender.Close()
	for name, a := range fleet.Sandbox(s, func() string { return sender.URL }, nil) {
		asked.Store(0)
		ask(t, a)
		if asked.Load() == 0 {
			t.Errorf("%s asked nobody", name)
		}
	}
	if trapped.Load() != 0 {
		t.Errorf("%d redirects were followed", trapped.Load())
	}

	// Statements lie at an address that the provider answers; one takes itself for pay.example.
	clock.shift.Store(-int64(48 * time.Hour))
	right := httptest.NewServer(s)
	defer right.Close()
	wrong := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Host = "pay.example"
		s.ServeHTTP(w, r)
	}))
	defer wrong.Close()
	for _, name := range []models.PaymentChannel{models.ChannelAlipay, models.ChannelWeChatPay, models.ChannelHuaweiPay} {
		here := fleet.Sandbox(s, func() string { return right.URL }, nil)[name]
		number := "P1234567890" + string(name[0]) // WeChat Pay has no statement of a day without trades
		_, err := here.Start(t.Context(), channel.StartRequest{Ref: channel.Ref{Number: number, Amount: money.New(100, "CNY"), MadeAt: time.Now()}, Subject: "x", NotifyURL: "http://127.0.0.1:1/"})
		var token string
		if err == nil {
			_, err = db.QueryRow(t.Context(), []any{&token}, "SELECT token FROM sandbox_trades WHERE number = ?", number)
		}
		if err == nil {
			err = play(right.URL+"/sandbox/pay/"+token, "outcome=succeed")
		}
		if err != nil {
			t.Fatal(err)
		}
		day := channel.DayOf(here, clock.Now())
		clock.shift.Store(0)
		if statement, err := here.Statement(t.Context(), day); err != nil || len(statement.Lines) != 1 {
			t.Errorf("%s: %+v %v", name, statement, err)
		}
		if _, err := fleet.Sandbox(s, func() string { return wrong.URL }, nil)[name].Statement(t.Context(), day); err == nil || !strings.Contains(err.Error(), "loopback addresses only") {
			t.Errorf("%s fetches from anywhere: %v", name, err)
		}
		clock.shift.Store(-int64(48 * time.Hour))
	}
}
