package sandbox_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// Tenpay's page takes what the merchant has signed, and only that.
func TestTenpayPage(t *testing.T) {
	eachOf(t, tencent[1:], func(t *testing.T, w *world, a channel.Adapter) {
		r := w.request(a)
		r.ReturnURL = w.url + "/return/" + r.Number
		s, err := a.Start(t.Context(), r)
		if err != nil || s.Method != http.MethodGet {
			t.Fatal(s, err)
		}
		for _, change := range []string{"total_fee=1234/total_fee=1", "bank_type=DEFAULT/bank_type=ICBC", "notify_url=http/notify_url=https"} {
			from, to, _ := strings.Cut(change, "/")
			if code, text := w.get(strings.Replace(s.URL, from, to, 1)); code != http.StatusBadRequest || !strings.Contains(text, "签名") {
				t.Errorf("%s: HTTP %d %s", change, code, text)
			}
		}
		page := w.follow(s.Action)
		r.Amount = money.New(1235, "CNY")
		other, err := a.Start(t.Context(), r)
		if code, _ := w.get(other.URL); err != nil || code != http.StatusBadRequest {
			t.Errorf("another amount under the number: HTTP %d %v", code, err)
		}
		for _, bank := range []string{"ICBC", "PSBC", "CGB", "HXB"} {
			r := w.request(a)
			r.BankCode, r.ReturnURL = bank, w.url+"/return"
			s, err := a.Start(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			if w.follow(s.Action); w.count("SELECT COUNT(*) FROM sandbox_trades WHERE number = ? AND detail LIKE ?", r.Number, `%"bank":"`+bank+`"%`) != 1 {
				t.Errorf("%s is not the trade's bank", bank)
			}
		}
		w.mustPlay(page, "outcome=succeed")
		w.hears()
		dollars := w.request(a)
		dollars.Amount = money.New(1234, "USD")
		if _, err := a.Start(t.Context(), dollars); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("dollars: %v", err)
		}
	})
}
