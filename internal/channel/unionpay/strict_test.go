package unionpay

import (
	"errors"
	"maps"
	"net/url"
	"testing"

	"paydesk/internal/channel"
	"paydesk/models"
)

// One key signs for all merchants: what it signed for another one is not taken for ours, however it is cut.
func TestNotificationsOfOneReadingOnly(t *testing.T) {
	a := adapter(t, models.ChannelUnionPayPersonal)
	// UnionPay's letter to another merchant, who has put fields of ours into his reqReserved; then the same text, cut to name us.
	theirs := notice(map[string]string{"bizType": "000201", "merId": "666666666666666", "orderId": "THEIRS", "reqReserved": "x&respCode=00"})
	delete(theirs, "respCode")
	n := told(t, theirs, cast.unionpay, cast.unionpay)
	form, err := url.ParseQuery(string(n.Body))
	if err != nil {
		t.Fatal(err)
	}
	form.Set("currencyCode", "156&merId=666666666666666&orderId=THEIRS")
	form.Del("merId")
	form.Del("orderId")
	f := fields{}
	for name := range form {
		f[name] = form.Get(name)
	}
	whole := fields{}
	for name := range theirs {
		whole[name] = theirs[name]
	}
	whole["certId"], whole["signPubKeyCert"] = f["certId"], f["signPubKeyCert"]
	if digest(f) != digest(whole) {
		t.Fatal("the text was to stay the same")
	}
	if err := a.verify(f); err == nil || err.Error() != "a value with & in it" {
		t.Errorf("cut elsewhere: %v", err)
	}

	e, err := a.ParseNotification(t.Context(), told(t, notice(map[string]string{"reserved": "{a=b&c={d=e&f=g}}", "orderDesc": "a=b {c} é"}), cast.unionpay, cast.unionpay))
	if err != nil || e.State != channel.StatePaid {
		t.Errorf("honest: %+v %v", e, err)
	}
	for what, change := range map[string]fields{
		"& in a value":           {"backUrl": "x&merId=666666666666666"},
		"& behind braces":        {"customerInfo": "{a=b}&merId=666666666666666"},
		"hidden in braces":       {"customerInfo": "{a=b&merId=666666666666666}"},
		"the last in braces":     {"customerInfo": "{a=b&c={d=e&merid=666666666666666}}"},
		"a name with fields":     {"customerInfo=x&merId": "666666666666666"},
		"equal but for case":     {"MerId": "666666666666666"},
		"a name that is strange": {"mer id": "1"},
	} {
		f := notice(nil)
		maps.Copy(f, change)
		if e, err := a.ParseNotification(t.Context(), told(t, f, cast.unionpay, cast.unionpay)); !errors.Is(err, channel.ErrForged) {
			t.Errorf("%s: %+v %v", what, e, err)
		}
	}
}
