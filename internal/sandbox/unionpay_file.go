package sandbox

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
)

// unionpayFile is the file transfer, txnType 76: the merchant's trades of a clearing day, of both kinds of bank; 98 before the day is over
// on the product's clock. A day without trades is an empty file.
func (s *Sandbox) unionpayFile(ctx context.Context, r unionpayRequest) (unionpayAnswer, error) {
	f := r.fields
	if f["txnType"] != "76" || f["txnSubType"] != "01" || f["fileType"] != "00" {
		return unionpayRefusal("10"), nil
	}
	day, ok := unionpayDay(f["settleDate"], s.clock.Now())
	if !ok {
		return unionpayRefusal("10"), nil
	}
	to := time.Date(day.Year(), day.Month(), day.Day(), 23, 0, 0, 0, beijing).UTC()
	if s.clock.Now().Before(to) {
		return unionpayRefusal("98"), nil
	}
	text, err := s.unionpayLines(ctx, r.keys, to.AddDate(0, 0, -1), to)
	if err != nil {
		return nil, err
	}
	content, err := unionpayPack("INN"+day.Format("060102")+"88", r.keys.MerchantID, text)
	if err != nil {
		return nil, err
	}
	a := unionpayRefusal("00")
	a["settleDate"], a["fileType"] = f["settleDate"], f["fileType"]
	a["fileContent"] = content
	if r.kind == unionpayPersonal { // a file without a name is told apart by those within: nothing promises one
		a["fileName"] = r.keys.MerchantID + "_" + day.Format("20060102") + ".zip"
	}
	return a, nil
}

// unionpayDay is the day that MMDD means: the nearest to now.
func unionpayDay(text string, now time.Time) (time.Time, bool) {
	now = now.In(beijing)
	for _, year := range []int{now.Year(), now.Year() - 1, now.Year() + 1} {
		day, err := time.ParseInLocation("20060102", fmt.Sprintf("%04d%s", year, text), beijing)
		if err == nil && now.Sub(day).Abs() <= 184*24*time.Hour {
			return day, true
		}
	}
	return time.Time{}, false
}

// unionpayLines are the lines of a ZM file: trades and refunds that were booked in the span, of both kinds.
func (s *Sandbox) unionpayLines(ctx context.Context, k *unionpayKeys, from, to time.Time) (string, error) {
	var text strings.Builder
	for _, kind := range unionpayKinds {
		trades, refunds, err := s.booked(ctx, kind.channel, from, to)
		if err != nil {
			return "", err
		}
		for _, t := range trades {
			fee := (t.Amount*6 + 500) / 1000 // 0.6 %
			text.WriteString(unionpayLine(unionpayRow{"S22", t.BookedAt, t.Amount, t.Reference, t.Number, fmt.Sprintf("D%012d", fee), "01", kind.bizType, "", k.MerchantID, ""}))
		}
		for _, r := range refunds {
			t, err := s.find(ctx, kind.channel, r.Trade)
			if err != nil {
				return "", err
			}
			_, reserved := unionpayReserved(r)
			text.WriteString(unionpayLine(unionpayRow{"S30", r.BookedAt, r.Amount, r.Reference, r.Number, "C000000000000", "04", kind.bizType, t.Reference, k.MerchantID, reserved}))
		}
	}
	return text.String(), nil
}

// unionpayRow is what a line says.
type unionpayRow struct {
	kind                                             string
	at                                               *time.Time
	amount                                           int64
	reference, number, fee, txnType, bizType, origin string
	merchant, reserved                               string
}

// unionpayLine lays a row out as UnionPay's sample programs read it: 42 columns of fixed width, in bytes, a space between two.
func unionpayLine(r unionpayRow) string {
	at := r.at.In(beijing).Format("0102150405")
	columns := []struct {
		width int
		text  string
	}{
		{3, r.kind}, {11, "48270000"}, {11, "00049992"}, {6, r.reference[len(r.reference)-6:]}, {10, at}, {19, "6216261000000000018"}, {12, fmt.Sprintf("%012d", r.amount)}, {4, "5734"},
		{2, "07"}, {21, r.reference}, {2, "01"}, {32, r.number}, {2, "01"}, {6, ""}, {10, ""}, {13, r.fee}, {13, fmt.Sprintf("C%012d", r.amount)}, {4, "0001"}, {15, ""}, {2, r.txnType},
		{2, "01"}, {6, r.bizType}, {2, "01"}, {4, ""}, {32, ""}, {1, ""}, {21, r.origin}, {15, r.merchant}, {1, ""}, {15, ""}, {32, ""}, {13, ""}, {13, ""}, {8, ""}, {32, r.reserved},
		{13, ""}, {13, ""}, {12, ""}, {2, ""}, {1, ""}, {32, ""}, {98, ""},
	}
	var line []string
	for _, c := range columns {
		line = append(line, fmt.Sprintf("%-*.*s", c.width, c.width, c.text))
	}
	return strings.Join(line, " ") + "\r\n"
}

// unionpayPack makes fileContent: base64 of the deflated zip, which has the file of trades and that of errors.
func unionpayPack(prefix, merchant, text string) (string, error) {
	var archive, packed bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, file := range []struct{ name, text string }{{prefix + "ZM_" + merchant, text}, {prefix + "ZME_" + merchant, ""}} {
		w, err := z.Create(file.name)
		if err != nil {
			return "", err
		}
		if _, err := w.Write([]byte(file.text)); err != nil {
			return "", err
		}
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	d := zlib.NewWriter(&packed)
	if _, err := d.Write(archive.Bytes()); err != nil {
		return "", err
	}
	if err := d.Close(); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(packed.Bytes()), nil
}
