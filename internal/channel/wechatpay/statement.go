package wechatpay

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/wechatpay-apiv3/wechatpay-go/core/consts"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// maxBill is how long an unzipped bill may be, in bytes: some hundred thousand lines.
const maxBill = 64 << 20

// StatementDay is a calendar day in Beijing.
func (a *Adapter) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

// Statement is /v3/bill/tradebill, all payments and refunds of a day, and the file it points to. The file is not signed: its SHA-1 stands
// in the signed answer. A day without movements has no file.
func (a *Adapter) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	ctx, cancel := context.WithTimeout(ctx, guard.FileTimeout)
	defer cancel()
	res, err := a.client.Get(ctx, consts.WechatPayAPIServer+"/v3/bill/tradebill?"+
		url.Values{"bill_date": {day.Format(time.DateOnly)}, "bill_type": {"ALL"}, "tar_type": {"GZIP"}}.Encode())
	if code, ok := refusal(err); ok && same(code, "NO_STATEMENT_EXIST") {
		return channel.Statement{Day: day}, nil
	} else if ok && same(code, "STATEMENT_CREATING") {
		return channel.Statement{}, fmt.Errorf("%w: wechatpay %s", channel.ErrNoStatement, code)
	}
	if err != nil {
		return channel.Statement{}, askError(err)
	}
	defer res.Response.Body.Close()
	var bill struct {
		HashType  string `json:"hash_type"`
		HashValue string `json:"hash_value"`
		URL       string `json:"download_url"`
	}
	if err := json.NewDecoder(res.Response.Body).Decode(&bill); err != nil || bill.HashType != "SHA1" {
		return channel.Statement{}, fmt.Errorf("%w: wechatpay: the answer about a bill is not readable", channel.ErrUnknown)
	}
	file, err := a.download(ctx, bill.URL)
	if err != nil {
		return channel.Statement{}, err
	}
	from, _ := a.StatementDay(day)
	lines, err := open(file, bill.HashValue, a.mchID, from)
	if err != nil {
		return channel.Statement{}, fmt.Errorf("%w: wechatpay's bill of %s: %w", channel.ErrUnknown, day, err)
	}
	sum := sha256.Sum256(file)
	return channel.Statement{Day: day, Lines: lines, Hash: hex.EncodeToString(sum[:])}, nil
}

// download fetches a file from where the provider says that it lies.
func (a *Adapter) download(ctx context.Context, raw string) ([]byte, error) {
	address, err := guard.Follow(a.mode, raw)
	if err != nil {
		return nil, fmt.Errorf("%w: wechatpay: %w", channel.ErrUnknown, err)
	}
	res, err := a.files.Get(ctx, address.String())
	if err != nil {
		return nil, askError(channel.Unaddressed(err))
	}
	defer res.Response.Body.Close()
	file, err := io.ReadAll(res.Response.Body)
	if err != nil {
		return nil, channel.TransportError(channel.Unaddressed(err))
	}
	return file, nil
}

// open unzips a file, compares its hash and reads it.
func open(file []byte, sha, mchID string, day time.Time) ([]channel.Line, error) {
	z, err := gzip.NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, errors.New("not zipped")
	}
	text, err := io.ReadAll(io.LimitReader(z, maxBill+1))
	if err != nil || len(text) > maxBill {
		return nil, errors.New("a broken file, or too long a one")
	}
	if sum := sha1.Sum(text); !strings.EqualFold(hex.EncodeToString(sum[:]), sha) {
		return nil, errors.New("not the file whose hash was told")
	}
	return readBill(string(text), mchID, day)
}
