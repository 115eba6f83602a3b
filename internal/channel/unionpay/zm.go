package unionpay

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/money"
	"paydesk/models"
)

// The columns of a ZM file that are read, counted from 0. A column is so many bytes wide, a space stands between two (UnionPay's own
// sample programs have these widths; the last column is reserved and may be cut).
const (
	colTime     = 4  // MMDDhhmmss
	colAmount   = 6  // fen
	colQueryID  = 9  // UnionPay's number of the trade
	colOrderID  = 11 // ours
	colFee      = 15 // C or D, then fen
	colTxnType  = 19
	colBizType  = 21
	colMerchant = 27
	colReserved = 34 // reqReserved of the request
)

// colAccount is the byte at which the payer's account begins, in the sixth column.
const colAccount = 3 + 11 + 11 + 6 + 10 + 5

var zmWidths = [...]int{3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13, 13, 8, 32}

// parse reads a ZM file. A line of ours that cannot be read spoils the file: what is left out would look like money that never came. One of
// somebody else on the same merchant account is shown as it came.
func (a *Adapter) parse(text []byte, day channel.Day) ([]channel.Line, error) {
	var all []channel.Line
	n := 0
	for raw := range strings.Lines(string(text)) {
		n++
		raw = strings.TrimRight(raw, "\r\n")
		if strings.TrimSpace(raw) == "" {
			continue
		}
		columns, ours := cut(raw), channel.NamesOurs(raw)
		if a.otherKind(columns, ours) {
			continue
		}
		l, err := a.line(columns, day)
		if err != nil && ours {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if err != nil {
			from, _ := a.StatementDay(day)
			l = channel.Line{State: channel.StatePaid, At: from}
		}
		l.Raw = evidence(raw)
		all = append(all, l)
	}
	return all, nil
}

// otherKind: the line is the other channel's. One of neither kind of bank, or too short to tell, is shown with the personal ones; where it is
// too short and ours, both channels have it.
func (a *Adapter) otherKind(columns []string, ours bool) bool {
	if len(columns) > colBizType {
		for _, kind := range bizTypes {
			if kind == columns[colBizType] {
				return kind != a.bizType
			}
		}
	}
	return a.name != models.ChannelUnionPayPersonal && (whole(columns) || !ours)
}

// whole: nothing is missing of a line's columns.
func whole(columns []string) bool { return len(columns) == len(zmWidths) }

// cut divides a line, by bytes: names in it are GBK. Of one that is too short it gives the columns that are there.
func cut(raw string) []string {
	var columns []string
	at := 0
	for _, width := range zmWidths {
		if at+width > len(raw) {
			break
		}
		columns = append(columns, strings.TrimSpace(raw[at:at+width]))
		at += width + 1
	}
	return columns
}

// evidence is a line as an operator may see it: without what the card's number has between its first six and last four digits. Of a line
// that is too short nobody knows where the card stands: what comes before its column is kept.
func evidence(raw string) string {
	b := []byte(raw)
	if !whole(cut(raw)) {
		return strings.TrimRight(strings.ToValidUTF8(string(b[:min(len(b), colAccount)]), "?"), " ")
	}
	account := b[colAccount : colAccount+zmWidths[5]]
	digits := len(strings.TrimRight(string(account), " "))
	for i := 6; i < digits-4; i++ {
		account[i] = '*'
	}
	return strings.TrimRight(strings.ToValidUTF8(string(b), "?"), " ")
}

// line reads one trade. The file has successful ones only.
func (a *Adapter) line(columns []string, day channel.Day) (channel.Line, error) {
	if !whole(columns) || columns[colMerchant] != a.merchant {
		return channel.Line{}, errors.New("not a trade of ours")
	}
	amount, err := minor(columns[colAmount])
	if err != nil {
		return channel.Line{}, fmt.Errorf("amount %q", columns[colAmount])
	}
	fee, err := signed(columns[colFee])
	if err != nil {
		return channel.Line{}, err
	}
	at, err := a.moment(columns[colTime], day)
	if err != nil {
		return channel.Line{}, fmt.Errorf("time %q", columns[colTime])
	}
	l := channel.Line{Reference: columns[colQueryID], Amount: money.New(amount, currency), Fee: money.New(fee, currency), At: at}
	switch columns[colTxnType] {
	case "01":
		l.Number, l.State = columns[colOrderID], channel.StatePaid
	case "04", "31": // 31: a void, made by hand in UnionPay's console
		l.Number, l.RefundNumber, l.State = columns[colReserved], columns[colOrderID], channel.StateRefunded
	default: // whether money came or went, nobody here knows: it is shown under UnionPay's number
		l.Number, l.RefundNumber, l.State = columns[colOrderID], columns[colQueryID], channel.StateRefunded
	}
	return l, nil
}

// signed reads an amount with C (to us) or D (from us) before it; a fee that we pay is above zero.
func signed(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	n, err := minor(text[1:])
	switch {
	case err != nil:
	case text[0] == 'D':
		return n, nil
	case text[0] == 'C':
		return -n, nil
	}
	return 0, fmt.Errorf("fee %q", text)
}

// moment is a time without a year that is nearest to the day's end.
func (a *Adapter) moment(text string, day channel.Day) (time.Time, error) {
	_, end := a.StatementDay(day)
	t, err := inYear(end.In(channel.Beijing).Year(), text)
	if err == nil && t.After(end.AddDate(0, 6, 0)) {
		t, err = inYear(t.Year()-1, text)
	}
	return t.UTC(), err
}
