package alipay

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strings"
	"time"

	sdk "github.com/smartwalle/alipay/v3"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// billLate is how long after a day's end its bill is there for certain, if there is one: they are made by nine in the morning.
const billLate = 36 * time.Hour

// StatementDay is a calendar day in Beijing.
func (a *Adapter) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

// Statement is alipay.data.dataservice.bill.downloadurl.query with bill_type trade, and the file it points to: payments and refunds of a
// day. Alipay says the same of a day whose bill is not made yet and of one without trades; a day after the day it is the latter.
func (a *Adapter) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	ctx, cancel := context.WithTimeout(ctx, guard.FileTimeout)
	defer cancel()
	res, err := a.client.BillDownloadURLQuery(ctx, sdk.BillDownloadURLQuery{BillType: "trade", BillDate: day.Format(time.DateOnly)})
	if err != nil {
		return channel.Statement{}, callError(err)
	}
	if res.Code != sdk.CodeSuccess {
		return a.noBill(day, res.Error, time.Now())
	}
	address, err := a.billAddress(res.BillDownloadURL)
	if err != nil {
		return channel.Statement{}, fmt.Errorf("%w: alipay: %w", channel.ErrUnknown, err)
	}
	file, err := channel.Fetch(ctx, a.files, address)
	if err != nil {
		return channel.Statement{}, err
	}
	from, _ := a.StatementDay(day)
	lines, err := readBill(file, maxBill, from)
	if err != nil {
		return channel.Statement{}, fmt.Errorf("%w: alipay's bill of %s: %w", channel.ErrUnknown, day, err)
	}
	sum := sha256.Sum256(file)
	return channel.Statement{Day: day, Lines: lines, Hash: hex.EncodeToString(sum[:])}, nil
}

// noBill judges a signed refusal. The date is the one argument that varies, so an invalid one is a day that is not over. Codes come in
// several spellings (isp.bill_not_exist, BILL_NOT_EXIST; isv.invalid_arguments, INVAILID_ARGUMENTS).
func (a *Adapter) noBill(day channel.Day, e sdk.Error, now time.Time) (channel.Statement, error) {
	sub := strings.ToLower(e.SubCode)
	_, end := a.StatementDay(day)
	switch {
	case strings.HasSuffix(sub, "bill_not_exist") && now.After(end.Add(billLate)):
		return channel.Statement{Day: day}, nil
	case strings.HasSuffix(sub, "bill_not_exist"), strings.HasSuffix(sub, "invalid_arguments"), strings.HasSuffix(sub, "invailid_arguments"):
		return channel.Statement{}, fmt.Errorf("%w: alipay %s", channel.ErrNoStatement, code(e))
	}
	return channel.Statement{}, queryError(e)
}

// billAddress judges where a bill lies. Alipay's documents show an http address; real money's files are fetched over https all the same.
func (a *Adapter) billAddress(raw string) (*url.URL, error) {
	if rest, ok := strings.CutPrefix(raw, "http://"); ok && a.mode == guard.Production {
		raw = "https://" + rest
	}
	return guard.Follow(a.mode, raw)
}
