package paypal

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
)

// A day with more transactions than PayPal tells at once is read in parts, each transaction once; what is no payment is left out; a day that
// PayPal has not counted to its end is not there yet.
func TestStatementOfABusyDay(t *testing.T) {
	day := channel.Day("2026-11-21")
	from, to := day.In(time.UTC)
	const most, all = 40, 200
	refreshed, pages, late := to, 1, false // late: it is page 2 that has too many
	report := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			fmt.Fprint(w, `{"access_token":"t","expires_in":3600}`)
			return
		}
		first, err := time.Parse(time.RFC3339, r.URL.Query().Get("start_date"))
		last, err2 := time.Parse(time.RFC3339, r.URL.Query().Get("end_date"))
		if err != nil || err2 != nil {
			t.Error(r.URL)
		}
		var found []string
		for i := range all {
			at := from.Add(time.Duration(i) * 24 * time.Hour / all)
			if at.Before(first) || at.After(last) {
				continue
			}
			code, status := "T0006", "S"
			switch i % 10 {
			case 7:
				code = "T0400" // a withdrawal
			case 8:
				status = "P"
			case 9:
				code = "T1107"
			}
			sign, custom := "", fmt.Sprintf("N%d", i)
			if code == "T1107" {
				sign, custom = "-", fmt.Sprintf("N%d.R%d", i, i)
			}
			found = append(found, fmt.Sprintf(`{"transaction_info":{"transaction_id":"3%d","transaction_event_code":%q,"transaction_status":%q,"transaction_initiation_date":%q,`+
				`"transaction_amount":{"currency_code":"USD","value":"%s1.00"},"fee_amount":{"currency_code":"USD","value":"-0.10"},"invoice_id":%q,"custom_field":%q}}`, i, code, status, at.Format("2006-01-02T15:04:05-0700"), sign, custom[strings.IndexByte(custom, '.')+1:], custom))
		}
		if len(found) > most || late && r.URL.Query().Get("page") == "2" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"name":"RESULTSET_TOO_LARGE","debug_id":"1"}`)
			return
		}
		fmt.Fprintf(w, `{"transaction_details":[%s],"total_pages":%d,"last_refreshed_datetime":%q}`, strings.Join(found, ","), pages, refreshed.Format("2006-01-02T15:04:05-0700"))
	}))
	defer report.Close()
	a := adapterAt(t, report.URL, "m")
	s, err := a.Statement(t.Context(), day)
	if err != nil {
		t.Fatal(err)
	}
	seen, refunds, pending := map[string]bool{}, 0, 0
	for _, l := range s.Lines {
		if seen[l.Reference] || l.Amount != money.New(100, "USD") || l.Fee != money.New(10, "USD") || l.Number != "N"+l.Reference[1:] || (l.State == channel.StateRefunded) != (l.RefundNumber == "R"+l.Reference[1:]) {
			t.Errorf("%+v", l)
		}
		seen[l.Reference] = true
		if l.RefundNumber != "" {
			refunds++
		}
		if l.State == channel.StatePending {
			pending++
		}
	}
	if len(s.Lines) != all*9/10 || refunds != all/10 || pending != all/10 {
		t.Errorf("%d lines, %d of refunds, %d in review", len(s.Lines), refunds, pending)
	}
	pages, late = 2, true
	if s, err := a.Statement(t.Context(), day); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("too many, on page 2, what page 1 gave would come twice: %d lines, %v", len(s.Lines), err)
	}
	pages = maxPages + 1
	if _, err := a.Statement(t.Context(), day); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("pages without end: %v", err)
	}
	pages, late = 1, false
	refreshed = to.Add(-time.Minute)
	if _, err := a.Statement(t.Context(), day); !errors.Is(err, channel.ErrNoStatement) {
		t.Errorf("not counted to its end: %v", err)
	}
}

// What a day's lines are: money that came, is in review, went back, or was taken back past us. Nothing of other people spoils the day; a line
// of ours that nobody can read does.
func TestLines(t *testing.T) {
	const ours = "20261121120000ABCDEFGHJKMN"
	for _, c := range []struct {
		what, info string
		want       channel.Line // no state: it is left out
		bad        bool
	}{
		{"paid", `"transaction_event_code":"T0006","transaction_status":"S",VALUE1,"invoice_id":"N","custom_field":"N","paypal_reference_id":"5A","paypal_reference_id_type":"ODR"`,
			channel.Line{Number: "N", Reference: "5A", State: channel.StatePaid}, false},
		{"in review", `"transaction_event_code":"T0006","transaction_status":"P",VALUE1,"invoice_id":"N","custom_field":"N"`, channel.Line{Number: "N", Reference: "3t", State: channel.StatePending}, false},
		{"denied", `"transaction_event_code":"T0006","transaction_status":"D",VALUE1,"invoice_id":"N"`, channel.Line{}, false},
		{"paid, and reversed by another line", `"transaction_event_code":"T0003","transaction_status":"V",VALUE1,"custom_field":"N"`, channel.Line{Number: "N", Reference: "3t", State: channel.StatePaid}, false},
		{"what we paid somebody", `"transaction_event_code":"T0006","transaction_status":"S",VALUE-1`, channel.Line{RefundNumber: "3T", Reference: "3t", State: channel.StateRefunded}, false},
		{"refunded", `"transaction_event_code":"T1107","transaction_status":"S",VALUE-1,"invoice_id":"R","custom_field":"N.R"`, channel.Line{Number: "N", RefundNumber: "R", Reference: "3t", State: channel.StateRefunded}, false},
		{"refunded, without its custom_id", `"transaction_event_code":"T1107","transaction_status":"P",VALUE-1,"invoice_id":"R"`, channel.Line{RefundNumber: "R", Reference: "3t", State: channel.StatePending}, false},
		{"refunded by hand", `"transaction_event_code":"T1107","transaction_status":"S",VALUE-1,"invoice_id":"N","custom_field":"N"`, channel.Line{Number: "N", RefundNumber: "3T", Reference: "3t", State: channel.StateRefunded}, false},
		{"a refund that bounced", `"transaction_event_code":"T1107","transaction_status":"V",VALUE-1,"custom_field":"N.R"`, channel.Line{Number: "N", RefundNumber: "R", Reference: "3t", State: channel.StateRefundFailed}, false},
		{"reversed", `"transaction_event_code":"T1106","transaction_status":"S",VALUE-1,"invoice_id":"N"`, channel.Line{Number: "N", RefundNumber: "3T", Reference: "3t", State: channel.StateRefunded}, false},
		{"charged back", `"transaction_event_code":"T1201","transaction_status":"S",VALUE-1,"custom_field":"N"`, channel.Line{Number: "N", RefundNumber: "3T", Reference: "3t", State: channel.StateRefunded}, false},
		{"a hold for a dispute", `"transaction_event_code":"T1110","transaction_status":"P",VALUE-1`, channel.Line{RefundNumber: "3T", Reference: "3t", State: channel.StatePending}, false},
		{"a chargeback that was undone", `"transaction_event_code":"T1202","transaction_status":"S",VALUE1`, channel.Line{RefundNumber: "3T", Reference: "3t", State: channel.StateRefunded}, false},
		{"a fee", `"transaction_event_code":"T1108","transaction_status":"S",VALUE1`, channel.Line{}, false},
		{"a withdrawal", `"transaction_event_code":"T0400","transaction_status":"S",VALUE-1`, channel.Line{}, false},
		{"no code", `"transaction_status":"S",VALUE-1`, channel.Line{}, false},
		{"another shop's that nobody can read", `"transaction_event_code":"T0006","transaction_status":"S","transaction_amount":{"currency_code":"XBT","value":"1"},"invoice_id":"shop-7"`, channel.Line{Reference: "3t", State: channel.StatePaid}, false},
		{"not of PayPal's form", `"transaction_event_code":7`, channel.Line{Reference: "3t", State: channel.StatePaid}, false},
		{"ours that nobody can read", `"transaction_event_code":"T0006","transaction_status":"S","transaction_amount":{"currency_code":"USD","value":"1.2.3"},"invoice_id":"` + ours + `"`, channel.Line{}, true},
		{"ours, not of PayPal's form", `"transaction_event_code":"T1107","custom_field":"` + ours + `.` + ours + `","fee_amount":7`, channel.Line{}, true},
	} {
		info := strings.NewReplacer("VALUE-1", `"transaction_amount":{"currency_code":"USD","value":"-1.00"}`, "VALUE1", `"transaction_amount":{"currency_code":"USD","value":"1.00"}`).Replace(c.info)
		raw := `{"transaction_info":{"transaction_id":"3t","transaction_initiation_date":"2026-11-21T10:00:00+0000",` + info + `}}`
		day, _ := channel.Day("2026-11-21").In(time.UTC)
		s := report{from: day}
		err := s.add([]byte(raw))
		if (err != nil) != c.bad || c.bad && !errors.Is(err, channel.ErrUnknown) || len(s.Lines) != min(1, len(c.want.State)) {
			t.Errorf("%s: %+v %v", c.what, s.Lines, err)
			continue
		}
		for _, l := range s.Lines {
			if l.Number != c.want.Number || l.RefundNumber != c.want.RefundNumber || l.Reference != c.want.Reference || l.State != c.want.State || l.Raw != raw || l.At.Before(day) ||
				l.Amount.Currency == "USD" && l.Amount.Minor != 100 {
				t.Errorf("%s: %+v", c.what, l)
			}
		}
	}
}

// A day has no more than others have either, however it is divided.
func TestStatementThatIsTooLong(t *testing.T) {
	asked := 0
	report := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/token") {
			fmt.Fprint(w, `{"access_token":"t","expires_in":3600}`)
			return
		}
		asked++
		fmt.Fprintf(w, `{"total_pages":20,"last_refreshed_datetime":"2026-11-23T00:00:00Z","transaction_details":[]%s}`, strings.Repeat(" ", maxDay/4))
	}))
	defer report.Close()
	if s, err := adapterAt(t, report.URL, "m").Statement(t.Context(), "2026-11-21"); !errors.Is(err, channel.ErrUnknown) || asked != 4 && asked != 5 {
		t.Errorf("%d lines of %d answers: %v", len(s.Lines), asked, err)
	}
}

// A day whose pages come slowly has an end, however many they are.
func TestStatementThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := &host{answer: func(r *http.Request) (int, []byte) {
			if strings.HasSuffix(r.URL.Path, "/token") {
				return http.StatusOK, []byte(`{"access_token":"t","expires_in":360000}`)
			}
			select {
			case <-time.After(time.Minute):
			case <-r.Context().Done():
			}
			return http.StatusOK, []byte(`{"total_pages":20,"last_refreshed_datetime":"2026-11-23T00:00:00Z"}`)
		}}
		begun := time.Now()
		_, err := production(t, h, "").Statement(t.Context(), "2026-11-21")
		if took := time.Since(begun); !errors.Is(err, channel.ErrUnknown) || took != patience {
			t.Errorf("after %s: %v", took, err)
		}
	})
}

// A report that takes its time, its token included, holds up no payment.
func TestStatementHoldsUpNobody(t *testing.T) {
	asked, release := make(chan struct{}), make(chan struct{})
	var tokens atomic.Int64
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasSuffix(r.URL.Path, "/token"):
			if tokens.Add(1) == 1 {
				close(asked)
				<-release
			}
			fmt.Fprint(w, `{"access_token":"t","expires_in":3600}`)
		default:
			fmt.Fprint(w, `{"id":"5A","status":"APPROVED","purchase_units":[{"custom_id":"N"}],"total_pages":1,"last_refreshed_datetime":"2026-11-23T00:00:00Z"}`)
		}
	}))
	defer api.Close()
	a, read, paid := adapterAt(t, api.URL, "m"), make(chan error, 1), make(chan error, 1)
	go func() {
		_, err := a.Statement(t.Context(), "2026-11-21")
		read <- err
	}()
	<-asked
	go func() {
		_, err := a.Query(t.Context(), channel.Ref{Number: "N", Reference: "5A"})
		paid <- err
	}()
	select {
	case err := <-paid:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Error("a payment waits for a report")
	}
	close(release)
	if err := <-read; err != nil {
		t.Error(err)
	}
}
