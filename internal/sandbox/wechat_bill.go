package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"time"

	"paydesk/models"
)

// wechatBillPath is where bills are fetched: GET, signed, of this very address; the answer is not.
const wechatBillPath = WeChatPayPath + "/v3/billdownload/file"

// wechatBillLife is how long an address of a bill lives.
const wechatBillLife = 5 * time.Minute

// wechatBill is /v3/bill/tradebill: where a day's bill lies, and the SHA-1 of it unzipped.
func (s *Sandbox) wechatBill(ctx context.Context, k *wechatKeys, r *http.Request, _ []byte) (wechatAnswer, error) {
	q := r.URL.Query()
	from, to, over, err := s.billDay(time.DateOnly, q.Get("bill_date"), beijing)
	kind := q.Get("bill_type")
	switch {
	case err != nil || kind != "" && kind != "ALL" || q.Get("tar_type") != "" && q.Get("tar_type") != "GZIP":
		return wechatRefusal(http.StatusBadRequest, "PARAM_ERROR", "bill_date, bill_type, tar_type"), nil
	case !over:
		return wechatRefusal(http.StatusBadRequest, "STATEMENT_CREATING", "账单生成中"), nil
	}
	text, lines, err := s.wechatBillText(ctx, k, from, to)
	if err != nil {
		return wechatAnswer{}, err
	}
	if lines == 0 {
		return wechatRefusal(http.StatusBadRequest, "NO_STATEMENT_EXIST", "账单文件不存在"), nil
	}
	sum := sha1.Sum([]byte(text))
	return wechatAnswer{http.StatusOK, map[string]string{"hash_type": "SHA1", "hash_value": hex.EncodeToString(sum[:]),
		"download_url": ownURL(r) + wechatBillPath + "?token=" + ticket(k.APIv3Key, q.Get("bill_date"), wechatBillLife) + "&tartype=" + strings.ToLower(q.Get("tar_type"))}}, nil
}

// wechatBillFile is the file, zipped if it was asked for like that.
func (s *Sandbox) wechatBillFile(w http.ResponseWriter, r *http.Request) {
	k, err := s.wechatKeys(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	day, ok := redeem(k.APIv3Key, r.URL.Query().Get("token"))
	if !ok || !wechatSigned(k, r, r.URL.RequestURI(), nil) {
		wechatReply(r.Context(), w, k, wechatRefusal(http.StatusUnauthorized, "SIGN_ERROR", "签名错误"))
		return
	}
	from, to, _, err := s.billDay(time.DateOnly, day, beijing)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	text, _, err := s.wechatBillText(r.Context(), k, from, to)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	file := []byte(text)
	if r.URL.Query().Get("tartype") == "gzip" {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(file)
		z.Close()
		file = b.Bytes()
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(file)
}

const wechatBillHeader = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额," +
	"微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"

// wechatBillText is a day's bill: payments and refunds in yuan, every cell behind a backtick, and the sums.
func (s *Sandbox) wechatBillText(ctx context.Context, k *wechatKeys, from, to time.Time) (text string, lines int, err error) {
	trades, refunds, err := s.booked(ctx, models.ChannelWeChatPay, from, to)
	if err != nil {
		return "", 0, err
	}
	open, err := s.onTheWay(ctx, models.ChannelWeChatPay, from, to) // a bill has them in the day they were asked for, and in no later one
	if err != nil {
		return "", 0, err
	}
	refunds = append(refunds, open...)
	var b strings.Builder
	b.WriteString("\ufeff" + wechatBillHeader + "\r\n")
	row := func(cells ...string) { b.WriteString("`" + strings.Join(cells, ",`") + "\r\n") }
	line := func(t trade, at *time.Time, state, amount string, refund ...string) {
		cells := []string{at.In(beijing).Format(time.DateTime), k.AppID, k.MchID, "0", "", t.Reference, t.Number, "o-sandbox-payer", "NATIVE", state, "OTHERS", "CNY", amount, "0.00"}
		cells = append(cells, refund[:6]...)
		row(append(cells, plainCell(t.Subject), "", "0.00000", "0.60%", amount, refund[2], "")...)
	}
	for _, t := range trades {
		line(t, t.BookedAt, "SUCCESS", yuan(t.Amount), "0", "0", "0.00", "0.00", "", "")
	}
	for _, r := range refunds {
		t, err := s.find(ctx, r.Channel, r.Trade) // perhaps of another day
		if err != nil {
			return "", 0, err
		}
		state := "SUCCESS"
		if r.at(wall()) != refundDone {
			state = "PROCESSING"
		}
		line(t, r.BookedAt, "REFUND", "0.00", r.Reference, r.Number, yuan(r.Amount), "0.00", "ORIGINAL", state)
	}
	in, out := total(trades, refunds)
	b.WriteString("总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额\r\n")
	lines = len(trades) + len(refunds)
	row(strconv.Itoa(lines), yuan(in), yuan(out), "0.00", "0.00000", yuan(in), yuan(out))
	return b.String(), lines, nil
}
