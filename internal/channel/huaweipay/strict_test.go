package huaweipay

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/smx509"

	"paydesk/internal/channel"
)

// One key signs for all merchants: what it signed for another one is not taken for ours, however it is cut.
func TestNotificationsOfOneReadingOnly(t *testing.T) {
	private, _, _ := keys(t, 3072)
	key, err := sm2.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := smx509.MarshalPKIXPublicKey(&key.PublicKey)
	a, err := New(config(private, hex.EncodeToString(der[len(der)-65:])))
	if err != nil {
		t.Fatal(err)
	}
	// told signs a body as Huawei Pay would have signed the text that it makes.
	told := func(body string) (channel.Event, error) {
		t.Helper()
		fields, err := fieldsOf([]byte(body))
		if err != nil {
			t.Fatal(err)
		}
		signature, err := key.SignWithSM2(rand.Reader, nil, []byte(canonical(fields)))
		if err != nil {
			t.Fatal(err)
		}
		sign, _ := json.Marshal(base64.StdEncoding.EncodeToString(signature))
		return a.ParseNotification(t.Context(), channel.Notification{Body: []byte(body[:len(body)-1] + `,"sign":` + string(sign) + `}`)})
	}
	const head, tail = `{"appId":"57","callbackId":"C1","currency":"CNY","dataType":"plain",`, `"orderStatus":"TRX_SUCCESS","sysTransOrderNo":"H1","totalAmount":1234`
	honest := head + `"mercNo":"101","mercOrderNo":"P1","payer":{"userId":"u","kind":"x"},"promotions":[{"id":"1"},{"id":"2"}],"tradeSummary":"a=b, {c} \"é\"",` + tail + `}`
	if e, err := told(honest); err != nil || e.Number != "P1" || e.State != channel.StatePaid || e.Amount.Minor != 1234 || e.Reference != "H1" || e.ID != "C1" {
		t.Errorf("%+v %v", e, err)
	}
	for what, body := range map[string]string{
		"& in a value":               head + `"finishTime":"x&mercNo=666","mercNo":"101","mercOrderNo":"P1",` + tail + `}`,
		"& in a list":                head + `"list":["x&mercNo=666"],"mercNo":"101","mercOrderNo":"P1",` + tail + `}`,
		"hidden in an object":        head + `"fine":{"a":"b","mercNo":"666"},"mercNo":"101","mercOrderNo":"P1",` + tail + `}`,
		"hidden in a list's objects": head + `"fine":[{"a":"b","mercno":"666"}],"mercNo":"101","mercOrderNo":"P1",` + tail + `}`,
		"a name with a field in it":  head + `"fine=x&mercNo":"666","mercNo":"101","mercOrderNo":"P1",` + tail + `}`,
		"twice":                      head + `"mercNo":"666","mercOrderNo":"P1","mercNo":"101",` + tail + `}`,
		"equal but for case":         head + `"mercNo":"101","MercOrderNo":"P2","mercOrderNo":"P1",` + tail + `}`,
		"a name in another case":     head + `"mercNo":"101","MERCORDERNO":"P1",` + tail + `}`,
		"the merchant likewise":      head + `"MERCNO":"101","mercOrderNo":"P1",` + tail + `}`,
	} {
		if e, err := told(body); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %+v %v", what, e, err)
		}
	}
}
