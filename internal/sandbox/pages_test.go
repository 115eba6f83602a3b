package sandbox_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/models"
)

// opens goes to an address as a browser does: what it shows, and where it ends.
func (w *world) opens(address string) (code int, html, final string) {
	w.t.Helper()
	res, err := http.Get(address)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode, textOf(w.t, res), res.Request.URL.String()
}

func textOf(t *testing.T, res *http.Response) string {
	t.Helper()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// plays is play with the page that answers.
func (w *world) plays(page, fields string) (int, string) {
	w.t.Helper()
	form, err := url.ParseQuery(fields)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.PostForm(page, form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode, textOf(w.t, res)
}

// Item 1 of the issue: Alipay's own page on a desktop and on a phone. The trade begins when the payer opens it; afterwards the payer goes
// back to where the merchant wants him.
func TestAlipayPages(t *testing.T) {
	eachOf(t, []models.PaymentChannel{models.ChannelAlipay}, func(t *testing.T, w *world, a channel.Adapter) {
		for display, method := range map[channel.Display]string{channel.DisplayPage: "alipay.trade.page.pay", channel.DisplayMobile: "alipay.trade.wap.pay"} {
			r := w.request(a)
			r.Display = display
			s, err := a.Start(t.Context(), r)
			if err != nil || s.QR != "" || s.Method != http.MethodGet || !strings.Contains(s.URL, method) {
				t.Fatalf("%s: %+v %v", display, s, err)
			}
			if e := w.query(a, r.Number); e.State != channel.StateNotFound {
				t.Errorf("%s: nobody has opened it, and it is %s", display, e.State)
			}
			code, html, page := w.opens(s.URL)
			if code != http.StatusOK || !strings.HasPrefix(page, w.url+"/sandbox/pay/") || !strings.Contains(html, "12.34") || strings.Contains(html, "refresh") {
				t.Errorf("%s: HTTP %d at %s", display, code, page)
			}
			if e := w.query(a, r.Number); e.State != channel.StatePending {
				t.Errorf("%s: opened, and %s", display, e.State)
			}
			again, err := a.Start(t.Context(), r)
			if err != nil || w.follow(again.Action) != page {
				t.Errorf("%s: the same number is another trade: %v", display, err)
			}
			w.refusesChangedPages(t, a, r, s.URL)
			code, html = w.plays(page, "outcome=succeed")
			if back := `content="3;url=` + r.ReturnURL + `"`; code != http.StatusOK || !strings.Contains(html, back) || !strings.Contains(html, `href="`+r.ReturnURL+`"`) {
				t.Errorf("%s: paid, HTTP %d, and no way back in %s", display, code, html)
			}
			told, err := a.ParseNotification(t.Context(), w.hears())
			if asked := w.query(a, r.Number); err != nil || told.State != channel.StatePaid || asked.State != channel.StatePaid || told.Amount != r.Amount || told.Number != r.Number {
				t.Errorf("%s: told %+v %v, asked %+v", display, told, err, asked)
			}
			if _, html, final := w.opens(again.URL); final != page || !strings.Contains(html, "Paid.") {
				t.Errorf("%s: opened once more: %s", display, final)
			}
			w.endsByItself(t, a, display)
		}
	})
}

// refusesChangedPages: what was signed is what is paid, and a number has one amount.
func (w *world) refusesChangedPages(t *testing.T, a channel.Adapter, r channel.StartRequest, address string) {
	t.Helper()
	if code, text, _ := w.opens(strings.Replace(address, "12.34", "0.01", 1)); code != http.StatusBadRequest || !strings.Contains(text, "isv.invalid-signature") {
		t.Errorf("a changed amount: HTTP %d %s", code, text)
	}
	r.Amount = money.New(1235, "CNY")
	other, err := a.Start(t.Context(), r)
	if code, text, _ := w.opens(other.URL); err != nil || code != http.StatusBadRequest || !strings.Contains(text, "ACQ.CONTEXT_INCONSISTENT") {
		t.Errorf("another amount: HTTP %d %s %v", code, text, err)
	}
}

// endsByItself: an unopened page is no trade that could be closed, so it ends with its time; and money that comes later is told.
func (w *world) endsByItself(t *testing.T, a channel.Adapter, display channel.Display) {
	t.Helper()
	r := w.request(a)
	r.Display, r.ReturnURL = display, "ftp://127.0.0.1/alert"
	s, err := a.Start(t.Context(), r)
	if err != nil || a.Close(t.Context(), r.Ref) != nil {
		t.Fatal(err)
	}
	w.clock.advance(31 * time.Minute)
	code, html, page := w.opens(s.URL)
	if code != http.StatusOK || !strings.Contains(html, "expired") || strings.Contains(html, "ftp:") {
		t.Errorf("%s: over, HTTP %d %s", display, code, html)
	}
	if code := w.play(page, "outcome=succeed"); code != http.StatusConflict {
		t.Errorf("%s: over and paid: HTTP %d", display, code)
	}
	if _, html := w.plays(page, "outcome=succeed&late=true"); strings.Contains(html, "ftp:") || strings.Contains(html, "refresh") {
		t.Errorf("%s: a way back that is none: %s", display, html)
	}
	if e, err := a.ParseNotification(t.Context(), w.hears()); err != nil || e.State != channel.StatePaid || e.Number != r.Number {
		t.Errorf("%s: late: %+v %v", display, e, err)
	}
}

// PA-16, TX-22: where no bank was chosen before, the provider's page lists them; who knows what he wants may do without.
func TestBankList(t *testing.T) {
	eachOf(t, []models.PaymentChannel{models.ChannelUnionPayPersonal, models.ChannelTenpay}, func(t *testing.T, w *world, a channel.Adapter) {
		number, page := w.start(a)
		_, html := w.get(page)
		for _, want := range []string{`name="bank" value="ICBC"`, "Industrial and Commercial Bank of China", "中国工商银行", "12.34"} {
			if !strings.Contains(html, want) {
				t.Errorf("the list lacks %s", want)
			}
		}
		if strings.Contains(html, `value="succeed"`) {
			t.Error("paid at no bank")
		}
		if code, _ := w.plays(page, "bank=NOBANK"); code != http.StatusBadRequest {
			t.Errorf("no such bank: HTTP %d", code)
		}
		code, html := w.plays(page, "bank=ICBC")
		if code != http.StatusOK || !strings.Contains(html, "<h1>Industrial and Commercial Bank of China") || !strings.Contains(html, `value="succeed"`) || strings.Contains(html, `value="CMB"`) {
			t.Errorf("the bank's page: HTTP %d %s", code, html)
		}
		if _, html = w.plays(page, "bank="); !strings.Contains(html, `value="CMB"`) {
			t.Error("no way back to the list")
		}
		w.mustPlay(page, "outcome=succeed")
		if e, err := a.ParseNotification(t.Context(), w.hears()); err != nil || e.Number != number || e.State != channel.StatePaid {
			t.Errorf("%+v %v", e, err)
		}
		r := w.request(a)
		r.BankCode = "CMB"
		page, _ = w.begin(a, r)
		if _, html := w.get(page); !strings.Contains(html, "<h1>China Merchants Bank") || !strings.Contains(html, `value="succeed"`) {
			t.Error("chosen before, and asked again")
		}
	})
}
