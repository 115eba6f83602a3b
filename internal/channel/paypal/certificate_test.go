package paypal

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// host plays PayPal's file server behind a client's transport: production reaches no address of this machine.
type host struct {
	answer func(r *http.Request) (status int, body []byte)

	mu    sync.Mutex
	asked []string
}

func (h *host) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	h.asked = append(h.asked, r.URL.String())
	h.mu.Unlock()
	status, body := h.answer(r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, nil
}

func (h *host) times() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.asked)
}

// authority vouches for certificates, at one remove: root, between, leaf.
type authority struct {
	root, between string // PEM
	above         *x509.Certificate
	key           *ecdsa.PrivateKey
}

func written(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func newAuthority(t *testing.T) (a authority) {
	t.Helper()
	template := func(name string) *x509.Certificate {
		return &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	}
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	root := template("root")
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &rootKey.PublicKey, rootKey)
	a.above = template("between")
	betweenDER, err2 := x509.CreateCertificate(rand.Reader, a.above, root, &a.key.PublicKey, rootKey)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	a.root, a.between = written(rootDER), written(betweenDER)
	return a
}

func (a authority) certify(t *testing.T, key *rsa.PublicKey, name string, from, to time.Time) string {
	t.Helper()
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.above, key, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return written(der)
}

const trueAddress = "https://api.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-df8cd2d5"

// letter is a webhook event, signed for webhook w.
func letter(t *testing.T, key *rsa.PrivateKey, address string) channel.Notification {
	t.Helper()
	body, at := []byte(`{"id":"WH-1","event_type":"BILLING.PLAN.CREATED","resource":{}}`), time.Now().UTC().Format(time.RFC3339)
	sum := sha256.Sum256(fmt.Appendf(nil, "T|%s|w|%d", at, crc32.ChecksumIEEE(body)))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	for name, value := range map[string]string{"Id": "T", "Time": at, "Sig": base64.StdEncoding.EncodeToString(signature)} {
		h.Set("Paypal-Transmission-"+name, value)
	}
	h.Set("Paypal-Auth-Algo", "SHA256withRSA")
	h.Set("Paypal-Cert-Url", address)
	return channel.Notification{Header: h, Body: body}
}

func production(t *testing.T, h *host, roots string) *Adapter {
	t.Helper()
	a, err := New(Config{BaseURL: "https://api-m.paypal.com", ClientID: "i", ClientSecret: "s", WebhookID: "w", MerchantID: "m", Roots: roots, Mode: guard.Production, HTTPClient: &http.Client{Transport: h}})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func rsaKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// PayPal's file has the leaf alone, and what vouches for it must come from us: roots that were given are wanted of every certificate, beside
// the system's. Without any, PayPal's own host vouches for a signer's certificate, and for no other.
func TestCertificateAlone(t *testing.T) {
	key, stranger := rsaKey(t), rsaKey(t)
	a, now := newAuthority(t), time.Now()
	signing := "messageverificationcerts.paypal.com"
	leaf := a.certify(t, &key.PublicKey, signing, now.Add(-time.Hour), now.Add(time.Hour))
	for _, c := range []struct {
		what, roots, file string
		ok                bool
	}{
		{"no roots, the leaf alone", "", leaf, true},
		{"no roots, of the hosted sandbox", "", a.certify(t, &key.PublicKey, "messageverificationcerts.sandbox.paypal.com", now.Add(-time.Hour), now.Add(time.Hour)), true},
		{"no roots, another name of PayPal's", "", a.certify(t, &key.PublicKey, "shop.paypal.com", now.Add(-time.Hour), now.Add(time.Hour)), false},
		{"no roots, somebody's", "", a.certify(t, &key.PublicKey, signing+".example.com", now.Add(-time.Hour), now.Add(time.Hour)), false},
		{"no roots, over", "", a.certify(t, &key.PublicKey, signing, now.Add(-2*time.Hour), now.Add(-time.Hour)), false},
		{"no roots, not yet", "", a.certify(t, &key.PublicKey, signing, now.Add(time.Hour), now.Add(2*time.Hour)), false},
		{"no roots, another key", "", a.certify(t, &stranger.PublicKey, signing, now.Add(-time.Hour), now.Add(time.Hour)), false},
		{"root and what is between, the leaf alone", a.root + a.between, leaf, true},
		{"the root, the whole chain", a.root, leaf + a.between, true},
		{"the root, the leaf alone", a.root, leaf, false},
		{"somebody's root", newAuthority(t).root, leaf + a.between, false},
		{"not a certificate", "", "nothing", false},
	} {
		h := &host{answer: func(*http.Request) (int, []byte) { return http.StatusOK, []byte(c.file) }}
		_, err := production(t, h, c.roots).ParseNotification(t.Context(), letter(t, key, trueAddress))
		if c.ok != (err == nil) || !c.ok && !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %v", c.what, err)
		}
	}
	h := &host{answer: func(*http.Request) (int, []byte) { return http.StatusOK, []byte(leaf) }}
	b := production(t, h, "")
	b.certificates.strict = true // as the sandbox is
	if _, err := b.ParseNotification(t.Context(), letter(t, key, trueAddress)); !errors.Is(err, channel.ErrForged) {
		t.Errorf("play money's PayPal is its authority's alone: %v", err)
	}
}

// Whoever hangs up leaves nothing behind, whoever asks for what does not exist stands in nobody's way, and there is an end to it.
func TestCertificatesUnderFire(t *testing.T) {
	key := rsaKey(t)
	leaf := newAuthority(t).certify(t, &key.PublicKey, "messageverificationcerts.paypal.com", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	open, asked := make(chan struct{}), make(chan string, 1000)
	h := &host{answer: func(r *http.Request) (int, []byte) {
		asked <- r.URL.String()
		if r.URL.String() != trueAddress {
			<-r.Context().Done() // as long as it can
			return http.StatusNotFound, nil
		}
		<-open
		return http.StatusOK, []byte(leaf)
	}}
	a, n := production(t, h, ""), letter(t, key, trueAddress)
	invented := func(i int) channel.Notification { return letter(t, key, fmt.Sprintf("%s%d", trueAddress, i)) }

	gone, hangUp := context.WithCancel(t.Context())
	hungUp := make(chan error, 2)
	for _, n := range []channel.Notification{invented(0), n} { // the true address behind an invented one
		go func() {
			_, err := a.ParseNotification(gone, n)
			hungUp <- err
		}()
		<-asked
	}
	hangUp()
	for range 2 {
		if err := <-hungUp; !errors.Is(err, channel.ErrUnavailable) || errors.Is(err, channel.ErrForged) {
			t.Errorf("hung up: %v", err)
		}
	}
	waits := make(chan error)
	go func() {
		_, err := a.ParseNotification(t.Context(), n)
		waits <- err
	}()
	close(open)
	if err := <-waits; err != nil {
		t.Errorf("the true one, behind those who hung up: %v", err)
	}

	over, cancel := context.WithCancel(t.Context())
	cancel()
	for i := range 3 * maxNew {
		if _, err := a.ParseNotification(over, invented(i)); !errors.Is(err, channel.ErrUnavailable) {
			t.Errorf("invented: %v", err)
		}
	}
	if _, err := a.ParseNotification(t.Context(), n); err != nil {
		t.Errorf("the true one, among many: %v", err)
	}
	a.certificates.mu.Lock()
	defer a.certificates.mu.Unlock()
	if n := len(a.certificates.fetching) + len(a.certificates.good); n != maxNew {
		t.Errorf("%d addresses are asked for", n)
	}
}

// What cannot be PayPal's, whoever has signed it, takes nothing of what may be fetched.
func TestNothingIsFetchedForWhatCannotBePayPals(t *testing.T) {
	key := rsaKey(t)
	h := &host{answer: func(*http.Request) (int, []byte) { return http.StatusNotFound, nil }}
	a := production(t, h, "")
	header := func(name, value string) channel.Notification {
		n := letter(t, key, trueAddress)
		n.Header.Set("Paypal-"+name, value)
		return n
	}
	body := func(text string) channel.Notification {
		n := letter(t, key, trueAddress)
		n.Body = []byte(text)
		return n
	}
	for what, n := range map[string]channel.Notification{
		"no id": header("Transmission-Id", ""), "a long id": header("Transmission-Id", strings.Repeat("T", 101)), "an id that runs on": header("Transmission-Id", "T|2026"),
		"no time": header("Transmission-Time", ""), "old": header("Transmission-Time", time.Now().Add(-maxAge-time.Minute).UTC().Format(time.RFC3339)),
		"another algorithm": header("Auth-Algo", "none"), "no signature": header("Transmission-Sig", ""), "a short signature": header("Transmission-Sig", base64.StdEncoding.EncodeToString(make([]byte, 255))),
		"a long signature": header("Transmission-Sig", base64.StdEncoding.EncodeToString(make([]byte, 1025))), "no base64": header("Transmission-Sig", strings.Repeat("!", 344)),
		"another host": header("Cert-Url", "https://api.paypal.com.example.com/v1/notifications/certs/CERT-1"), "another path": header("Cert-Url", "https://api.paypal.com/v1/CERT-1"), "no TLS": header("Cert-Url", strings.Replace(trueAddress, "https", "http", 1)),
		"no body": body(""), "not an event": body(`{}`), "not JSON": body(`{"id":"WH-1"`),
	} {
		if _, err := a.ParseNotification(t.Context(), n); !errors.Is(err, channel.ErrForged) || h.times() != 0 {
			t.Errorf("%s: %v, asked %d times", what, err, h.times())
			h.asked = nil
		}
		clear(a.certificates.bad)
	}
	if _, err := a.ParseNotification(t.Context(), letter(t, key, trueAddress)); !errors.Is(err, channel.ErrForged) || h.times() != 1 {
		t.Errorf("what could be: %v, asked %d times", err, h.times())
	}
}

// A good key serves on while it is fetched anew, until the certificate ends; one that PayPal has taken away does not.
func TestCertificateIsRenewed(t *testing.T) {
	key := rsaKey(t)
	leaf := newAuthority(t).certify(t, &key.PublicKey, "messageverificationcerts.paypal.com", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	answers := make(chan int, 1)
	h := &host{answer: func(*http.Request) (int, []byte) { return <-answers, []byte(leaf) }}
	a, n := production(t, h, ""), letter(t, key, trueAddress)
	parse := func() error {
		_, err := a.ParseNotification(t.Context(), n)
		return err
	}
	age := func() {
		c := a.certificates
		c.mu.Lock()
		defer c.mu.Unlock()
		k := c.good[trueAddress]
		k.until = time.Now()
		c.good[trueAddress] = k
	}
	fetched := func() {
		t.Helper()
		a.certificates.mu.Lock()
		done := a.certificates.fetching[trueAddress]
		a.certificates.mu.Unlock()
		if done != nil {
			<-done
		}
	}
	answers <- http.StatusOK
	if err := parse(); err != nil {
		t.Fatal(err)
	}
	age()
	if err := parse(); err != nil { // nobody has answered yet
		t.Errorf("while it is renewed: %v", err)
	}
	answers <- http.StatusServiceUnavailable
	fetched()
	if err := parse(); err != nil || h.times() != 2 {
		t.Errorf("after PayPal did not answer: %v, asked %d times", err, h.times())
	}
	age()
	answers <- http.StatusNotFound
	if err := parse(); err != nil {
		t.Error(err)
	}
	fetched()
	if err := parse(); !errors.Is(err, channel.ErrForged) || !strings.Contains(err.Error(), "404") {
		t.Errorf("taken away: %v", err)
	}
}
