package sandbox

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"paydesk/models"
)

// tenpayRefund sends money back at once; the same number again is the same refund as it now stands.
func (s *Sandbox) tenpayRefund(ctx context.Context, k TenpayCredentials, in pairs) (pairs, error) {
	fen, badFee := strconv.ParseInt(in["refund_fee"], 10, 64)
	switch {
	case !operates(in, k.Operator, k.OperatorPass):
		return tenpayRefused("88110007", "操作员密码错误"), nil
	case !qqNumber.MatchString(in["out_refund_no"]), badFee != nil, fen < 1, in["service_version"] != "1.1":
		return tenpayBadParam, nil
	}
	t, err := s.tencentFind(ctx, models.ChannelTenpay, in)
	if errors.Is(err, errNoTrade) {
		return tenpayNoTrade, nil
	}
	if err != nil {
		return nil, err
	}
	if in["total_fee"] != strconv.FormatInt(t.Amount, 10) {
		return tenpayBadParam, nil
	}
	made, _, err := s.giveBack(ctx, refund{Channel: t.Channel, Number: in["out_refund_no"], Trade: t.Number, Reference: newReference("1111"), Amount: fen, NotifyURL: in["notify_url"]})
	switch {
	case errors.Is(err, errUnpaid):
		return tenpayRefused("88222012", "交易状态不允许退款"), nil
	case errors.Is(err, errTooMuch):
		return tenpayRefused("88222013", "退款金额超过可退金额"), nil
	case errors.Is(err, errDifferent):
		return tenpayRefused("88222018", "退款单号重复"), nil
	case err != nil:
		return nil, err
	}
	return pairs{"transaction_id": t.Reference, "out_trade_no": t.Number, "out_refund_no": made.Number, "refund_id": made.Reference, "refund_channel": "0",
		"refund_fee": strconv.FormatInt(made.Amount, 10), "refund_status": tenpayRefundStatus(made.at(wall()))}, nil
}

func tenpayRefundStatus(s status) string {
	switch s {
	case refundDone:
		return "4"
	case refundFailed:
		return "3"
	}
	return "8"
}

func (s *Sandbox) tenpayQueryRefund(ctx context.Context, _ TenpayCredentials, in pairs) (pairs, error) {
	made, t, err := s.tencentRefund(ctx, models.ChannelTenpay, in)
	if errors.Is(err, errNoTrade) {
		return tenpayNoRefund, nil
	}
	if err != nil {
		return nil, err
	}
	return pairs{"transaction_id": t.Reference, "out_trade_no": t.Number, "refund_count": "1", "out_refund_no_0": made.Number, "refund_id_0": made.Reference, "refund_channel_0": "0",
		"refund_time_begin_0": tencentClock(ctx, &made.CreatedAt), "refund_time_0": tencentClock(ctx, &made.ReadyAt), "refund_fee_0": strconv.FormatInt(made.Amount, 10), "refund_state_0": tenpayRefundStatus(made.at(wall()))}, nil
}

const (
	tenpayHeader = "交易时间,财付通订单号,商户订单号,支付类型,银行订单号,交易状态,交易金额,退款单号,退款金额,退款状态,交易说明\r\n"
	tenpaySums   = "总交易单数,总交易额,总退款金额\r\n"
	// A request for a statement is signed in this order.
	tenpayAsked = "spid=%s&trans_time=%s&stamp=%s&cft_signtype=%s&mchtype=%s&key=%s"
)

// tenpayStatement is a day's file in GBK, without lines where there were no trades; a page of HTML where it is not made yet.
func (s *Sandbox) tenpayStatement(w http.ResponseWriter, r *http.Request) {
	k, err := s.tenpayKeys(r.Context())
	if err == nil {
		err = r.ParseForm()
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	in := ofForm(r.PostForm)
	text := fmt.Sprintf(tenpayAsked, in["spid"], in["trans_time"], in["stamp"], in["cft_signtype"], in["mchtype"], k.Key)
	from, to, made, err := s.tencentDay(time.DateOnly, in["trans_time"])
	switch {
	case in["spid"] != k.Partner || in["sign"] != fmt.Sprintf("%x", md5.Sum([]byte(text))):
		writeFile(w, "text/html; charset=gbk", inGBK("<html><body>03020002:签名错误</body></html>"))
		return
	case err != nil || in["mchtype"] != "0":
		writeFile(w, "text/html; charset=gbk", inGBK("<html><body>03000001:参数错误</body></html>"))
		return
	case !made:
		writeFile(w, "text/html; charset=gbk", inGBK("<html><body>03020003:该日期对帐单还没有生成</body></html>"))
		return
	}
	trades, refunds, err := s.booked(r.Context(), models.ChannelTenpay, from, to)
	var file string
	if err == nil {
		file, err = s.tenpayFile(r.Context(), trades, refunds)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	writeFile(w, "text/plain; charset=gbk", inGBK(file))
}

// inGBK is a text as Tenpay writes it; what GBK has not becomes a substitute.
func inGBK(text string) []byte {
	var out bytes.Buffer
	for _, r := range text {
		b, err := simplifiedchinese.GBK.NewEncoder().Bytes([]byte(string(r)))
		if err != nil {
			b = []byte("?")
		}
		out.Write(b)
	}
	return out.Bytes()
}

// tenpayFile is the file as merchants have taken it apart: a backtick before numbers and times, 0 where a payment has no refund, an empty
// line before the sums.
func (s *Sandbox) tenpayFile(ctx context.Context, trades []trade, refunds []refund) (string, error) {
	file := tenpayHeader
	var sum, back int64
	line := func(at *time.Time, t trade, state, refund, back, refundState string) {
		file += row("", "\n", tick(at.In(beijing).Format(time.DateTime)), tick(t.Reference), tick(t.Number), "网上支付", tick(t.Detail.Bank), state, inYuan(t.Amount), tick(refund), back, refundState, t.Subject)
	}
	for _, t := range trades {
		line(t.BookedAt, t, "用户已支付", "0", "0", "")
		sum += t.Amount
	}
	for _, r := range refunds {
		t, err := s.find(ctx, r.Channel, r.Trade)
		if err != nil {
			return "", err
		}
		state := map[status]string{refundDone: "退款成功", refundOpen: "退款处理中", refundFailed: "退款失败"}[r.at(wall())]
		line(r.BookedAt, t, "转入退款", r.Number, inYuan(r.Amount), state)
		back += r.Amount
	}
	return file + "\r\n" + tenpaySums + row("", "\r\n", strconv.Itoa(len(trades)+len(refunds)), inYuan(sum), inYuan(back)), nil
}
