package tenpay

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

func TestTenpayStates(t *testing.T) {
	for state, want := range map[string]channel.State{"0": channel.StatePaid, "1": channel.StatePending, "2": channel.StatePending, "5": channel.StatePaid, "6": channel.StateClosed,
		"7": channel.StatePending, "9": channel.StatePaid, "": channel.StatePending, "11": channel.StatePending} {
		e, err := tenpayEvent(fields{"trade_state": state, "out_trade_no": "1", "transaction_id": "2", "total_fee": "1234", "fee_type": "1"})
		if err != nil || e.State != want || (want == channel.StatePaid) != (e.Amount == money.New(1234, "CNY")) {
			t.Errorf("%s: %+v %v", state, e, err)
		}
	}
	for status, want := range map[string]channel.State{"1": channel.StateNotFound, "2": channel.StateNotFound, "3": channel.StateRefundFailed, "4": channel.StateRefunded, "5": channel.StateRefundFailed,
		"6": channel.StateRefundFailed, "7": channel.StateRefundFailed, "8": channel.StatePending, "9": channel.StatePending, "10": channel.StateRefunded, "11": channel.StatePending, "": channel.StatePending} {
		if got := tenpayRefundState(status); got != want {
			t.Errorf("refund %q: %s", status, got)
		}
	}
	for _, c := range []struct {
		no   refusal
		want error
	}{{refusal{"88221009", "交易单不存在"}, channel.ErrDeclined}, {refusal{"88222018", ""}, channel.ErrUnknown}, {refusal{"88222002", "验证签名失败"}, channel.ErrUnavailable}, {refusal{"99999999", "系统繁忙"}, channel.ErrUnknown}, {refusal{}, channel.ErrUnknown}} {
		if err := c.no.refundError(); !errors.Is(err, c.want) {
			t.Errorf("%v: %v", c.no, err)
		}
	}
}

// TX-22: the payer's address has all that Tenpay wants, and is the same each time.
func TestTenpayAddress(t *testing.T) {
	a, err := New(Config{BaseURL: "https://gw.tenpay.com", MerchantURL: MerchantURL, Partner: "1200000001", Key: "k", Mode: guard.Production})
	if err != nil {
		t.Fatal(err)
	}
	made := time.Date(2026, 11, 21, 16, 0, 0, 0, time.UTC)
	r := channel.StartRequest{Ref: channel.Ref{Number: "P1", Amount: money.New(1234, "CNY"), MadeAt: made}, Subject: strings.Repeat("充", 60), ExpiresAt: made.Add(time.Minute + time.Millisecond),
		ReturnURL: "https://pay.example/return/P1", NotifyURL: "https://pay.example/notify"}
	s, err := a.Start(t.Context(), r)
	again, _ := a.Start(t.Context(), r)
	if err != nil || s.URL != again.URL {
		t.Fatal(err)
	}
	u, _ := url.Parse(s.URL)
	f, err := parseForm([]byte(u.RawQuery))
	if err != nil || u.Host != "gw.tenpay.com" || u.Path != "/gateway/pay.htm" || !f.verified("k") {
		t.Errorf("%s %v", s.URL, err)
	}
	if f["bank_type"] != "DEFAULT" || f["time_start"] != "20261122000000" || f["time_expire"] != "20261122000101" || len(f["subject"]) > 32 || len(f["body"]) > 128 || f["total_fee"] != "1234" {
		t.Error(f)
	}
	for bank, want := range map[string]string{"ICBC": "ICBC", "BOCOM": "COMM", "PSBC": "POSTGC", "CGB": "GDB", "": "DEFAULT"} {
		if got := bankType(bank); got != want {
			t.Errorf("%s: %s", bank, got)
		}
	}
	for ip, want := range map[string]string{"": "127.0.0.1", "198.51.100.7": "198.51.100.7", "2001:db8::1": "127.0.0.1"} {
		r.PayerIP = ip
		if s, err := a.Start(t.Context(), r); err != nil || !strings.Contains(s.URL, "&spbill_create_ip="+want+"&") {
			t.Errorf("asked from %q: %s %v", ip, s.URL, err)
		}
	}
	for _, bad := range []money.Money{money.New(1, "USD"), money.New(0, "CNY")} {
		r.Amount = bad
		if _, err := a.Start(t.Context(), r); !errors.Is(err, channel.ErrDeclined) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if _, err := a.Refund(t.Context(), channel.RefundRequest{Payment: channel.Ref{Amount: money.New(1, "CNY")}, Refund: channel.Ref{Amount: money.New(1, "CNY")}}); !errors.Is(err, channel.ErrUnavailable) {
		t.Errorf("without an operator: %v", err)
	}
	for _, c := range []Config{{BaseURL: "https://127.0.0.1"}, {BaseURL: "https://gw.tenpay.com", MerchantURL: "https://localhost"}, {BaseURL: "http://gw.tenpay.com"}} {
		c.Partner, c.Key, c.Mode = "1", "k", guard.Production
		if _, err := New(c); err == nil {
			t.Errorf("%+v", c)
		}
	}
}

// A refund is found wherever it stands in the list, counted or not; Tenpay says when it was done.
func TestListedRefunds(t *testing.T) {
	e := channel.Event{Number: "P1", RefundNumber: "R2"}
	out := fields{"out_trade_no": "P1", "out_refund_no_0": "R1", "refund_fee_0": "1", "refund_state_0": "3", "out_refund_no_1": "R2", "refund_id_1": "T2", "refund_fee_1": "234", "refund_state_1": "4", "refund_time_1": "20261121100000"}
	for what, count := range map[string]string{"not counted": "", "counted": "2", "counted wrongly": "0"} {
		out["refund_count"] = count
		got, err := listed(out, e, "refund_state_", tenpayRefundState)
		if err != nil || got.State != channel.StateRefunded || got.Reference != "T2" || got.Amount != money.New(234, "CNY") || !got.PaidAt.Equal(time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: %+v %v", what, got, err)
		}
	}
	e.RefundNumber = "R3"
	if got, err := listed(out, e, "refund_state_", tenpayRefundState); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("not in the list: %+v %v", got, err)
	}
}
