package huaweipay

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
	"paydesk/internal/money"
)

// maxBill bounds what is unpacked of a bill, in bytes.
const maxBill = 64 << 20

// Columns of a bill, found by name: new ones may come. Names and the unit (yuan) are to be checked against a real bill
// (docs/channels/huawei-pay.md).
const (
	colTime      = "交易时间"
	colKind      = "交易类型" // 支付 or 退款
	colStatus    = "交易状态"
	colNumber    = "商户订单号"
	colReference = "华为支付订单号"
	colRefund    = "商户退款订单号"
	colSysRefund = "华为支付退款订单号"
	colAmount    = "交易金额(元)"
	colFee       = "手续费(元)"
)

var columns = []string{colTime, colKind, colStatus, colNumber, colReference, colRefund, colSysRefund, colAmount, colFee}

// StatementDay is a calendar day in Beijing.
func (a *Adapter) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

// Statement fetches the bill of a day; it is there from nine o'clock of the next day on, for 90 days. A day without trades has a bill too.
func (a *Adapter) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	var out struct {
		Download *download `json:"billDownloadParam"`
	}
	if err := a.call(ctx, http.MethodGet, "/api/v1/bill/trade-bill/downloadInfo?billDate="+day.Format("20060102"), nil, &out); err != nil {
		return channel.Statement{}, askError(err)
	}
	if out.Download == nil || out.Download.URL == "" {
		return channel.Statement{}, channel.ErrNoStatement
	}
	file, err := a.fetch(ctx, *out.Download)
	if err != nil {
		return channel.Statement{}, err
	}
	from, _ := a.StatementDay(day)
	lines, err := linesOf(file, from)
	if err != nil {
		return channel.Statement{}, fmt.Errorf("%w: huaweipay's bill of %s: %v", channel.ErrUnknown, day, err)
	}
	sum := sha256.Sum256(file)
	return channel.Statement{Day: day, Lines: lines, Hash: hex.EncodeToString(sum[:])}, nil
}

// download is where a bill lies, at the provider's store of files.
type download struct {
	URL     string            `json:"downloadUrl"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers"` // they open the file; Host and Connection are the transport's
}

func (a *Adapter) fetch(ctx context.Context, d download) ([]byte, error) {
	u, err := guard.Follow(a.mode, d.URL)
	if err != nil {
		return nil, fmt.Errorf("%w: huaweipay: %v", channel.ErrUnavailable, err)
	}
	ctx, cancel := context.WithTimeout(ctx, guard.FileTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil || (d.Method != "" && !strings.EqualFold(d.Method, http.MethodGet)) {
		return nil, fmt.Errorf("%w: huaweipay's bill cannot be fetched with %q", channel.ErrUnknown, d.Method)
	}
	for name, value := range d.Headers {
		if !strings.EqualFold(name, "Host") && !strings.EqualFold(name, "Connection") {
			r.Header.Set(name, value)
		}
	}
	res, err := a.files.Do(r)
	if err != nil {
		return nil, channel.TransportError(channel.Unaddressed(err))
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: huaweipay's bill, HTTP %d", channel.ErrUnknown, res.StatusCode)
	}
	file, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, channel.TransportError(channel.Unaddressed(err))
	}
	return file, nil
}

// linesOf reads the tables of an archive; files that are none are passed over.
func linesOf(file []byte, from time.Time) ([]channel.Line, error) {
	archive, err := zip.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	var lines []channel.Line
	left, tables := int64(maxBill), 0
	for _, f := range archive.File {
		if !strings.HasSuffix(strings.ToLower(f.Name), ".csv") {
			continue
		}
		tables++
		text, err := unpack(f, left)
		if err != nil {
			return nil, err
		}
		left -= int64(len(text))
		some, err := parse(text, from)
		if err != nil {
			return nil, fmt.Errorf("table %d: %w", tables, err)
		}
		lines = append(lines, some...)
	}
	if tables == 0 {
		return nil, fmt.Errorf("no .csv among %d files", len(archive.File))
	}
	return lines, nil
}

func unpack(f *zip.File, most int64) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return "", err
	case int64(len(text)) > most:
		return "", fmt.Errorf("longer than %d bytes", maxBill)
	case !utf8.Valid(text):
		return "", fmt.Errorf("not UTF-8")
	}
	return strings.TrimPrefix(string(text), "\ufeff"), nil
}

// parse reads a table: the columns' names, then a line for each payment and refund. A line of ours that cannot be read spoils the bill; one of
// somebody else on the same merchant account is shown as it came, at the day's beginning.
func parse(text string, from time.Time) ([]channel.Line, error) {
	r := csv.NewReader(strings.NewReader(text))
	r.FieldsPerRecord = -1
	r.LazyQuotes = true
	var at map[string]int
	var lines []channel.Line
	for {
		cells, err := r.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if at == nil {
			if at, err = positions(cells); err != nil {
				return nil, err
			}
			continue
		}
		l, err := line(row{at, cells})
		if err != nil && channel.NamesOurs(l.Raw) {
			return nil, err
		}
		if err != nil {
			l = channel.Line{Reference: l.Reference, State: channel.StatePaid, At: from, Raw: l.Raw}
		}
		lines = append(lines, l)
	}
	return lines, nil
}

func positions(names []string) (map[string]int, error) {
	at := map[string]int{}
	for i, n := range names {
		at[strings.TrimSpace(n)] = i
	}
	for _, c := range columns {
		if _, ok := at[c]; !ok {
			return nil, fmt.Errorf("column %s is missing", c)
		}
	}
	return at, nil
}

// row is a line of a bill by its columns' names.
type row struct {
	at    map[string]int
	cells []string
}

// get is a cell without what keeps spreadsheets from reading it as a number.
func (r row) get(name string) string {
	if i := r.at[name]; i < len(r.cells) {
		return strings.Trim(r.cells[i], "`\t ")
	}
	return ""
}

// states are the words of a bill.
var states = map[string]channel.State{"交易成功": channel.StatePaid, "退款成功": channel.StateRefunded, "退款失败": channel.StateRefundFailed, "退款处理中": channel.StatePending}

func line(r row) (channel.Line, error) {
	l := channel.Line{Number: r.get(colNumber), Reference: r.get(colReference), Raw: strings.Join(r.cells, ",")}
	var ok bool
	if l.State, ok = states[r.get(colStatus)]; !ok || l.Number == "" {
		return l, fmt.Errorf("a line of state %q", r.get(colStatus))
	}
	if r.get(colKind) == "退款" {
		l.RefundNumber, l.Reference = r.get(colRefund), r.get(colSysRefund)
	}
	if (l.State == channel.StatePaid) != (l.RefundNumber == "") {
		return l, fmt.Errorf("a line of kind %q in state %q", r.get(colKind), r.get(colStatus))
	}
	var err error
	if l.Amount, err = money.Parse(r.get(colAmount), currency); err != nil {
		return l, err
	}
	if l.Fee, err = money.Parse(r.get(colFee), currency); err != nil {
		return l, err
	}
	at, err := time.ParseInLocation(time.DateTime, r.get(colTime), channel.Beijing)
	l.At = at.UTC()
	return l, err
}
