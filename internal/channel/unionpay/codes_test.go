package unionpay

import (
	"archive/zip"
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/models"
)

// Only a success pays, only a trade that failed as a whole is declined (a card's refusal leaves the payer another one), and only what is
// final ends a refund (lessons 1, 3).
func TestCodes(t *testing.T) {
	for code, want := range map[string][2]channel.State{
		"00": {channel.StatePaid, channel.StateRefunded}, "A6": {channel.StatePaid, channel.StateRefunded},
		"03": {channel.StatePending, channel.StatePending}, "04": {channel.StatePending, channel.StatePending}, "05": {channel.StatePending, channel.StatePending},
		"02": {channel.StatePending, channel.StatePending}, "09": {channel.StatePending, channel.StatePending}, "": {channel.StatePending, channel.StatePending},
		"000": {channel.StatePending, channel.StatePending}, "6": {channel.StatePending, channel.StatePending},
		"34": {channel.StateNotFound, channel.StateNotFound}, "01": {channel.StateDeclined, channel.StateRefundFailed},
		"60": {channel.StatePending, channel.StateRefundFailed}, "64": {channel.StatePending, channel.StateRefundFailed}, "89": {channel.StatePending, channel.StateRefundFailed},
		"70": {channel.StatePending, channel.StateRefundFailed}, "83": {channel.StatePending, channel.StatePending},
		"12": {channel.StatePending, channel.StateRefundFailed}, "36": {channel.StatePending, channel.StateRefundFailed}, "99": {channel.StatePending, channel.StateRefundFailed},
	} {
		if p, r := paymentState(code), refundState(code); p != want[0] || r != want[1] {
			t.Errorf("%s: payment %s, refund %s, not %v", code, p, r, want)
		}
	}
	for code, want := range map[string][2]error{
		"11": {channel.ErrUnavailable, channel.ErrUnavailable}, "31": {channel.ErrUnavailable, channel.ErrUnavailable}, "37": {channel.ErrUnavailable, channel.ErrUnavailable},
		"02": {channel.ErrUnavailable, channel.ErrUnavailable}, "03": {channel.ErrUnknown, channel.ErrUnknown}, "05": {channel.ErrUnknown, channel.ErrUnknown},
		"": {channel.ErrUnknown, channel.ErrUnknown}, "83": {channel.ErrUnknown, channel.ErrUnknown}, "10": {channel.ErrUnknown, channel.ErrDeclined}, "36": {channel.ErrUnknown, channel.ErrDeclined}, "01": {channel.ErrUnknown, channel.ErrDeclined},
	} {
		if asked, refund := askError(code), refundError(code); !errors.Is(asked, want[0]) || !errors.Is(refund, want[1]) {
			t.Errorf("%s: asked %v, refund %v, not %v", code, asked, refund, want)
		}
	}
}

// Answers are not URL-encoded: + and = of base64 stay, and what stands in braces stays together.
func TestSplit(t *testing.T) {
	got := split("a=1&signature=ab+c/d==&customerInfo={x=1&y=2}&cert=-----BEGIN\r\nQ==\r\n&empty=&&=x&last=%2B")
	want := fields{"a": "1", "signature": "ab+c/d==", "customerInfo": "{x=1&y=2}", "cert": "-----BEGIN\r\nQ==\r\n", "empty": "", "": "x", "last": "%2B"}
	if !maps.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// row is a line of a ZM file with these columns, the rest blank.
func row(columns map[int]string) string {
	var line []string
	for i, width := range zmWidths {
		text := columns[i]
		line = append(line, text+strings.Repeat(" ", width-len(text)))
	}
	return strings.Join(line, " ") + "  more that is reserved\r\n"
}

func TestStatementFile(t *testing.T) {
	a := adapter(t, models.ChannelUnionPayPersonal)
	if from, to := a.StatementDay("2027-01-01"); !from.Equal(time.Date(2026, 12, 31, 15, 0, 0, 0, time.UTC)) || to.Sub(from) != 24*time.Hour {
		t.Errorf("the clearing day is %s to %s", from, to)
	}
	pay := map[int]string{0: "S22", 4: "1231230001", 5: "6216261000000000018", 6: "000000001234", 9: "202612311234567890123", 11: "20261122101112ABCDEFGHJKMN", 15: "D000000000007", 19: "01",
		21: "000201", 27: merchant, 30: string([]byte{0xd2, 0xf8, 0xc1, 0xaa})}
	with := func(changes ...any) map[int]string {
		m := maps.Clone(pay)
		for i := 0; i < len(changes); i += 2 {
			m[changes[i].(int)] = changes[i+1].(string)
		}
		return m
	}
	back := with(4, "0101225959", 11, "R2", 15, "C000000000007", 19, "04", 34, "20261122101112ABCDEFGHJKMN")
	lines, err := a.parse([]byte(row(pay)+row(with(21, "000202", 19, "99"))+"\r\n"+row(back)), "2027-01-01")
	if err != nil || len(lines) != 2 {
		t.Fatal(lines, err)
	}
	if strings.Contains(lines[0].Raw, "6216261000000000018") || !strings.Contains(lines[0].Raw, " 621626*********0018 ") || !strings.HasPrefix(lines[0].Raw, "S22 ") {
		t.Errorf("evidence %q", lines[0].Raw)
	}
	lines[0].Raw, lines[1].Raw = "", ""
	want := channel.Line{Number: "20261122101112ABCDEFGHJKMN", Reference: "202612311234567890123", Amount: money.New(1234, "CNY"), Fee: money.New(7, "CNY"), State: channel.StatePaid,
		At: time.Date(2026, 12, 31, 15, 0, 1, 0, time.UTC)}
	if lines[0] != want {
		t.Errorf("paid: %+v", lines[0])
	}
	want.RefundNumber, want.Fee.Minor, want.State, want.At = "R2", -7, channel.StateRefunded, time.Date(2027, 1, 1, 14, 59, 59, 0, time.UTC)
	if lines[1] != want {
		t.Errorf("refunded: %+v", lines[1])
	}
	for name, bad := range map[string]map[int]string{"another merchant": with(27, "777290058110049"), "no amount": with(6, ""), "a fee in words": with(15, "0000000000007"),
		"no time": with(4, "1331000000")} {
		if lines, err := a.parse([]byte(row(bad)), "2027-01-01"); err == nil {
			t.Errorf("%s: %+v", name, lines)
		}
	}
	shortLines(t, with)
	odd, err := a.parse([]byte(row(with(19, "02"))+row(with(11, "SHOP2", 27, "777290058110049"))+row(with(11, "SHOP2", 6, ""))+row(with(21, "000301"))+row(with(11, "SHOP2"))[:300]+"\r\n"), "2027-01-01")
	if err != nil || len(odd) != 5 {
		t.Fatal("what is strange, or somebody else's, is shown: ", odd, err)
	}
	if l := odd[0]; l.Number != want.Number || l.RefundNumber != want.Reference || l.State != channel.StateRefunded || l.Amount.Minor != 1234 {
		t.Errorf("a kind that is not known: %+v", l)
	}
	for _, l := range []channel.Line{odd[1], odd[2], odd[4]} {
		if l.Number != "" || l.State != channel.StatePaid || l.At.IsZero() || !strings.HasPrefix(l.Raw, "S22 ") || strings.Contains(l.Raw, "6216261000000000018") {
			t.Errorf("somebody else's: %+v", l)
		}
	}
	if l := odd[3]; l.Number != want.Number || l.State != channel.StatePaid {
		t.Errorf("another product's: %+v", l)
	}
	if lines, err := adapter(t, models.ChannelUnionPayEnterprise).parse([]byte(row(with(21, "000301"))), "2027-01-01"); err != nil || len(lines) != 0 {
		t.Errorf("another product's, shown twice: %+v %v", lines, err)
	}
}

// shortLines: a line that is cut belongs to one channel, as far as it says its kind; one of ours that does not say fails both days.
func shortLines(t *testing.T, with func(...any) map[int]string) {
	t.Helper()
	for _, c := range []struct {
		what                 string
		line                 string
		personal, enterprise string // what comes of it
	}{
		{"ours", row(with())[:300], "fails", "nothing"},
		{"ours, enterprise", row(with(21, "000202"))[:300], "nothing", "fails"},
		{"ours, kind unknown", row(with())[:150], "fails", "fails"},
		{"ours, no kind of bank", row(with(21, "0002"))[:300], "fails", "fails"},
		{"a stranger's", row(with(11, "SHOP"))[:300], "shown", "nothing"},
		{"a stranger's, enterprise", row(with(11, "SHOP", 21, "000202"))[:300], "nothing", "shown"},
		{"a stranger's, kind unknown", row(with(11, "SHOP"))[:150], "shown", "nothing"},
		{"a word", "S22", "shown", "nothing"},
	} {
		for name, want := range map[models.PaymentChannel]string{models.ChannelUnionPayPersonal: c.personal, models.ChannelUnionPayEnterprise: c.enterprise} {
			lines, err := adapter(t, name).parse([]byte(c.line+"\r\n"), "2027-01-01")
			got := "nothing"
			switch {
			case err != nil:
				got = "fails"
			case len(lines) > 0:
				got = "shown"
			}
			if got != want {
				t.Errorf("%s, %s: %s, not %s", c.what, name, got, want)
			}
		}
	}
}

// settleDate has no year: the file's name has one, or the names within.
func TestStatementYear(t *testing.T) {
	a := adapter(t, models.ChannelUnionPayPersonal)
	zipped := func(name string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		file  []byte
		dated bool
		ok    bool
	}{
		{zipped("INN26112188ZM_777290058110048"), true, true}, {zipped("INN26112188ZM_777290058110048"), false, true}, {zipped("777290058110048_20261121/INN26112188ZM_777290058110048.txt"), false, true},
		{zipped("INN25112188ZM_777290058110048"), false, false}, {zipped("INN25112188ZM_777290058110048"), true, false},
		{zipped("ZM_777290058110048"), true, true}, {zipped("ZM_777290058110048"), false, false}, {nil, true, true}, {nil, false, false},
	} {
		if _, err := a.lines(c.file, "2026-11-21", c.dated); (err == nil) != c.ok {
			t.Errorf("%q, dated %v: %v", c.file, c.dated, err)
		}
	}
}
