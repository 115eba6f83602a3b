package sandbox

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"paydesk/models"
)

// operates reports whether a refund names the operator and his password, which travels as its MD5.
func operates(in pairs, operator, password string) bool {
	return in["op_user_id"] == operator && in["op_user_passwd"] == fmt.Sprintf("%x", md5.Sum([]byte(password)))
}

// qqRefund accepts a refund; the same number again is the same refund.
func (s *Sandbox) qqRefund(ctx context.Context, k QQWalletCredentials, in pairs) (pairs, error) {
	switch {
	case !operates(in, k.Operator, k.OperatorPass):
		return qqRefused("NOAUTH", "操作员无权限"), nil
	case !qqNumber.MatchString(in["out_refund_no"]) || !qqFen.MatchString(in["refund_fee"]):
		return qqRefused("PARAM_ERROR", "out_refund_no, refund_fee"), nil
	}
	t, refusal, err := s.qqFind(ctx, in)
	if err != nil || refusal != nil {
		return refusal, err
	}
	if in["total_fee"] != "" && in["total_fee"] != strconv.FormatInt(t.Amount, 10) {
		return qqRefused("PARAM_ERROR", "total_fee"), nil
	}
	fen, _ := strconv.ParseInt(in["refund_fee"], 10, 64)
	made, _, err := s.giveBack(ctx, refund{Channel: t.Channel, Number: in["out_refund_no"], Trade: t.Number, Reference: newReference("1121"), Amount: fen})
	switch {
	case errors.Is(err, errUnpaid):
		return qqRefused("TRADE_STATE_ERROR", "订单状态错误"), nil
	case errors.Is(err, errTooMuch):
		return qqRefused("REFUND_FEE_INVALID", "累计退款金额大于支付金额"), nil
	case errors.Is(err, errDifferent):
		return qqRefused("REFUND_FEE_MISMATCH", "退款金额与之前请求不一致"), nil
	case err != nil:
		return nil, err
	}
	return pairs{"transaction_id": t.Reference, "out_trade_no": t.Number, "refund_id": made.Reference, "refund_channel": "ORIGINAL", "refund_fee": strconv.FormatInt(made.Amount, 10), "total_fee": strconv.FormatInt(t.Amount, 10)}, nil
}

// qqQueryRefund tells of a refund as the only one of a list, which has no count.
func (s *Sandbox) qqQueryRefund(ctx context.Context, _ QQWalletCredentials, in pairs) (pairs, error) {
	made, t, err := s.tencentRefund(ctx, models.ChannelQQWallet, in)
	if errors.Is(err, errNoTrade) {
		return qqRefused("REFUNDNOTEXIST", "退款订单不存在"), nil
	}
	if err != nil {
		return nil, err
	}
	state := map[status]string{refundDone: "SUCCESS", refundFailed: "FAIL", refundOpen: "PROCESSING"}[made.at(wall())]
	return pairs{"transaction_id": t.Reference, "out_trade_no": t.Number, "total_fee": strconv.FormatInt(t.Amount, 10), "out_refund_no_0": made.Number,
		"refund_id_0": made.Reference, "refund_channel_0": "ORIGINAL", "refund_fee_0": strconv.FormatInt(made.Amount, 10), "refund_status_0": state}, nil
}

// tencentRefund finds a refund: the provider's number goes before the merchant's, in both protocols.
func (s *Sandbox) tencentRefund(ctx context.Context, c models.PaymentChannel, in pairs) (refund, trade, error) {
	column, number := "refund_number", in["out_refund_no"]
	if in["refund_id"] != "" {
		column, number = "reference", in["refund_id"]
	}
	made, err := s.readRefund(ctx, "channel = ? AND "+column+" = ?", string(c), number)
	if err != nil {
		return made, trade{}, err
	}
	t, err := s.find(ctx, c, made.Trade)
	return made, t, err
}

const (
	qqHeader = "交易时间,商户号,商户APPID,子商户号,子商户APPID,用户标识,设备号,支付场景,商户订单号,QQ钱包订单号,付款银行,货币种类,订单金额(元),商户优惠金额(元),商户应收金额(元),QQ钱包优惠金额(元),用户支付金额(元),交易状态," +
		"退款提交时间,商户退款订单号,QQ钱包退款订单号,退款金额(元),退还QQ钱包优惠金额(元),退款状态,退款成功时间,退款方式,商品名称,商户数据包,手续费金额(元),费率\r\n"
	qqSums = "交易总笔数,订单总金额(元),商户优惠总金额(元),商户应收总金额(元),QQ钱包优惠总金额(元),用户支付总金额(元),退款总金额(元),退还QQ钱包优惠总金额(元),手续费总金额(元)\r\n"
)

// qqStatement is a day's file, without lines where there were no trades; XML where it is not made yet.
func (s *Sandbox) qqStatement(w http.ResponseWriter, r *http.Request) {
	in, k, answer, ok := s.qqRead(w, r)
	if !ok {
		return
	}
	from, to, made, err := s.tencentDay("20060102", in["bill_date"])
	if answer == nil && (err != nil || in["bill_type"] != "ALL") {
		answer = pairs{"return_code": "FAIL", "return_msg": "参数错误", "retcode": "66228006"}
	}
	var trades []trade
	var refunds []refund
	var file string
	if answer == nil && made {
		trades, refunds, err = s.booked(r.Context(), models.ChannelQQWallet, from, to)
	}
	if answer == nil && !made {
		answer = pairs{"return_code": "FAIL", "return_msg": "No Bill Exist", "retcode": "66228030"}
	}
	if answer != nil {
		writeFile(w, "text/xml; charset=utf-8", answer.flat("xml"))
		return
	}
	if err == nil {
		file, err = s.qqFile(r.Context(), k, trades, refunds)
	}
	if err != nil {
		s.failed(w, r, err)
		return
	}
	writeFile(w, "text/plain; charset=utf-8", []byte(file))
}

// qqFee is what QQ Wallet keeps: 0.6 per cent, to the nearest fen.
func qqFee(fen int64) int64 { return (fen*6 + 500) / 1000 }

// qqFile has a backtick before numbers of orders only, and a word where there is nothing.
func (s *Sandbox) qqFile(ctx context.Context, k QQWalletCredentials, trades []trade, refunds []refund) (string, error) {
	file := qqHeader
	var sum, back, fees int64
	line := func(t trade, state string, r refund, asked, refundState, fee string) {
		amount, backText := inYuan(t.Amount), ""
		if r.Number != "" {
			backText = inYuan(r.Amount)
		}
		file += row("暂无数据", "\r\n", t.BookedAt.In(beijing).Format(time.DateTime), k.MchID, "", "", "", "SANDBOXPAYER", "", "NATIVE", tick(t.Number), tick(t.Reference), "BALANCE", "RMB", amount, "0.00", amount, "0.00",
			amount, state, asked, tick(r.Number), tick(r.Reference), backText, "0.00", refundState, "", "", t.Subject, "", fee, "0.60%")
	}
	for _, t := range trades {
		line(t, "支付成功", refund{}, "", "", inYuan(qqFee(t.Amount)))
		sum, fees = sum+t.Amount, fees+qqFee(t.Amount)
	}
	for _, r := range refunds {
		t, err := s.find(ctx, r.Channel, r.Trade)
		if err != nil {
			return "", err
		}
		state := map[status]string{refundDone: "退款成功", refundOpen: "退款处理中", refundFailed: "退款失败"}[r.at(wall())]
		line(t, "转入退款", r, r.BookedAt.In(beijing).Format(time.DateTime), state, "0.00")
		back += r.Amount
	}
	return file + qqSums + row("", "", strconv.Itoa(len(trades)+len(refunds)), inYuan(sum), "0", inYuan(sum), "0", inYuan(sum), inYuan(back), "0", inYuan(fees)), nil
}
