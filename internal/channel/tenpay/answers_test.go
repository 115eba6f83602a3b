package tenpay

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// What is rightly signed and speaks of something else decides nothing, and an answer with a document type is not even read.
func TestAnswersForSomethingElse(t *testing.T) {
	answer, status := "", http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	defer server.Close()
	qq, err := NewQQ(QQConfig{BaseURL: server.URL, MchID: "14", APIKey: "k", Operator: "1", OperatorPass: "p", Mode: guard.Sandbox})
	old, err2 := New(Config{BaseURL: server.URL, Partner: "14", Key: "k", Operator: "1", OperatorPass: "p", Mode: guard.Sandbox})
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	right := func() fields {
		return fields{"return_code": success, "result_code": success, "retcode": "0", "mch_id": "14", "partner": "14", "out_trade_no": "P1", "transaction_id": "T1", "trade_state": success, "total_fee": "100",
			"out_refund_no": "R1", "out_refund_no_0": "R1", "refund_fee_0": "100", "refund_status_0": success, "refund_state_0": "4", "refund_status": "4", "refund_fee": "100"}
	}
	p, r := channel.Ref{Number: "P1", Amount: money.New(100, "CNY")}, channel.Ref{Number: "R1", Amount: money.New(100, "CNY")}
	calls := map[string]func(a channel.Adapter) error{
		"query":        func(a channel.Adapter) error { _, err := a.Query(t.Context(), p); return err },
		"query refund": func(a channel.Adapter) error { _, err := a.QueryRefund(t.Context(), p, r); return err },
		"refund": func(a channel.Adapter) error {
			_, err := a.Refund(t.Context(), channel.RefundRequest{Payment: p, Refund: r})
			return err
		},
	}
	for what, c := range map[string]struct {
		name, value string
		calls       string
	}{
		"as it should be":  {"x", "", ""},
		"another merchant": {"mch_id partner", "15", "query, query refund, refund"},
		"another trade":    {"out_trade_no", "P2", "query, query refund, refund"},
		"another refund":   {"out_refund_no out_refund_no_0", "R2", "query refund, refund"},
		"no refund":        {"out_refund_no_0", "", "query refund"},
	} {
		f := right()
		for _, name := range strings.Fields(c.name) {
			f[name] = c.value
		}
		answer = f.signed("k").xml()
		for call, fn := range calls {
			for _, a := range []channel.Adapter{qq, old} {
				refused := false
				for _, want := range strings.Split(c.calls, ", ") {
					refused = refused || want == call
				}
				if err := fn(a); errors.Is(err, channel.ErrUnknown) != refused || err != nil && !refused {
					t.Errorf("%s, %s of %s: %v", what, call, a.Channel(), err)
				}
			}
		}
	}
	for _, bad := range []string{"<!DOCTYPE xml>" + right().signed("k").xml(), right().xml(), "", "<html>", strings.Repeat("<xml>", 1000), "OK"} {
		answer = bad
		for call, fn := range calls {
			for _, a := range []channel.Adapter{qq, old} {
				if err := fn(a); !errors.Is(err, channel.ErrUnknown) {
					t.Errorf("%.20q, %s of %s: %v", bad, call, a.Channel(), err)
				}
			}
		}
	}
	answer = right().signed("k").xml()
	for code, want := range map[int]error{http.StatusBadGateway: channel.ErrUnknown, http.StatusNotFound: channel.ErrUnknown, http.StatusFound: channel.ErrUnknown, http.StatusTooManyRequests: channel.ErrUnavailable} {
		status = code
		for call, fn := range calls {
			for _, a := range []channel.Adapter{qq, old} {
				if err := fn(a); !errors.Is(err, want) {
					t.Errorf("HTTP %d, %s of %s: %v", code, call, a.Channel(), err)
				}
			}
		}
	}
}
