package e2e

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"paydesk/internal/platform/testenv"
)

// TestStaleNotifications: WeChat Pay signs the time with a notification, and one that is five minutes off is refused however
// rightly it is signed (lesson 25). It moves nothing; the log warns of it and holds neither letter nor signature.
func TestStaleNotifications(t *testing.T) {
	testenv.Each(t, func(t *testing.T, home testenv.Home) {
		n := startNotified(t, home)
		c := n.customer(t)
		p, letter := paidBehindTheGate(t, n, c, "WECHAT_PAY", "40.00")
		for name, off := range map[string]time.Duration{"six minutes old": -6 * time.Minute, "a day old": -24 * time.Hour, "six minutes ahead": 6 * time.Minute} {
			got, err := n.gate.deliver(n.signedAt(t, letter, time.Now().Add(off)))
			if err != nil || got.status != http.StatusUnauthorized {
				t.Errorf("%s: %d %q, %v", name, got.status, got.answer, err)
			}
		}
		if p := c.payment(t, p.ID); p.Status != "REQUIRES_ACTION" {
			t.Errorf("a stale notification made the payment %s", p.Status)
		}
		c.want(t, "0.00", nil)
		logged := n.log.tail(1 << 20)
		if strings.Count(logged, `level=WARN msg="notification refused"`) != 3 {
			t.Errorf("the log does not warn of each:\n%s", logged)
		}
		var sealed struct{ Resource struct{ Ciphertext string } }
		if err := json.Unmarshal(letter.body, &sealed); err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{sealed.Resource.Ciphertext, letter.header.Get("Wechatpay-Signature")} {
			if secret == "" || strings.Contains(logged, secret) {
				t.Errorf("the log holds %q", secret)
			}
		}
		// Signed the same way a minute ago it is taken: the test's signature is none of the reasons above.
		if got, err := n.gate.deliver(n.signedAt(t, letter, time.Now().Add(-time.Minute))); err != nil || got.status != http.StatusNoContent {
			t.Errorf("a minute old: %d %q, %v", got.status, got.answer, err)
		}
		c.awaitStatus(t, p.ID, "SUCCEEDED")
		c.want(t, "40.00", map[string]int{"TOP_UP": 1})
	})
}

// signedAt signs a notification as WeChat Pay would have at that time (WECHATPAY2-SHA256-RSA2048), with the sandbox's own key.
func (n notified) signedAt(t testing.TB, letter notification, at time.Time) notification {
	t.Helper()
	stamp, nonce := strconv.FormatInt(at.Unix(), 10), unique("nonce")
	sum := sha256.Sum256([]byte(stamp + "\n" + nonce + "\n" + string(letter.body) + "\n"))
	signature, err := rsa.SignPKCS1v15(rand.Reader, n.sandboxKey(t, "wechat"), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	letter.header = letter.header.Clone()
	letter.header.Set("Wechatpay-Timestamp", stamp)
	letter.header.Set("Wechatpay-Nonce", nonce)
	letter.header.Set("Wechatpay-Signature", base64.StdEncoding.EncodeToString(signature))
	return letter
}
