package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"paydesk/internal/money"
	"paydesk/models"
)

var alipayNumber = regexp.MustCompile(`^[0-9A-Za-z_]{1,64}$`)

// alipayPrecreate makes a QR code, or gives the same one again for the same number.
func (s *Sandbox) alipayPrecreate(ctx context.Context, r alipayRequest) (alipayAnswer, error) {
	if product := r.biz.ProductCode; product != "FACE_TO_FACE_PAYMENT" && product != "QR_CODE_OFFLINE" {
		return alipayBusiness("ACQ.ACCESS_FORBIDDEN", "无权限使用接口: product_code"), nil
	}
	t, refusal, err := s.alipayOpen(ctx, r)
	if err != nil || refusal != nil {
		return refusal, err
	}
	return alipaySuccess(alipayAnswer{"out_trade_no": t.Number, "qr_code": s.payerURL(t.Token)}), nil
}

// alipayPages are the interfaces that a payer's browser opens, with the product that a merchant signs up for.
var alipayPages = map[string]string{"alipay.trade.page.pay": "FAST_INSTANT_TRADE_PAY", "alipay.trade.wap.pay": "QUICK_WAP_WAY"}

// alipayPage is alipay.trade.page.pay and alipay.trade.wap.pay: the payer's browser brings the signed request, and the trade begins
// when it does. What is refused is told to the payer.
func (s *Sandbox) alipayPage(w http.ResponseWriter, r *http.Request, product string) {
	k, err := s.alipayKeys(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	req, refusal := alipayRead(k, r, true)
	var t trade
	switch {
	case refusal != nil:
	case req.biz.ProductCode != product:
		refusal = alipayBusiness("ACQ.INVALID_PARAMETER", "参数无效: product_code")
	default:
		if t, refusal, err = s.alipayOpen(r.Context(), req); err != nil {
			s.failed(w, r, err)
			return
		}
	}
	if refusal != nil && t.Token == "" {
		http.Error(w, fmt.Sprint(refusal["sub_code"], ": ", refusal["sub_msg"]), http.StatusBadRequest)
		return
	}
	http.Redirect(w, r, s.payerURL(t.Token), http.StatusSeeOther) // one that has ended says so there
}

// alipayOpen finds or makes the trade of a request. A trade that has ended comes with a refusal.
func (s *Sandbox) alipayOpen(ctx context.Context, r alipayRequest) (trade, alipayAnswer, error) {
	amount, err := money.Parse(r.biz.TotalAmount, "CNY")
	switch {
	case err != nil || amount.Minor < 1 || amount.Minor > 100_000_000_00:
		return trade{}, alipayBusiness("ACQ.INVALID_PARAMETER", "参数无效: total_amount"), nil
	case !alipayNumber.MatchString(r.biz.OutTradeNo) || r.biz.Subject == "" || len([]rune(r.biz.Subject)) > 256:
		return trade{}, alipayBusiness("ACQ.INVALID_PARAMETER", "参数无效: out_trade_no, subject"), nil
	case r.biz.SellerID != "" && r.biz.SellerID != r.keys.SellerID:
		return trade{}, alipayBusiness("ACQ.SELLER_NOT_EXIST", "卖家不存在"), nil
	}
	end, ok := s.alipayEnd(r)
	if !ok {
		return trade{}, alipayBusiness("ACQ.INVALID_PARAMETER", "参数无效: time_expire, timeout_express"), nil
	}
	t, err := s.register(ctx, trade{Channel: models.ChannelAlipay, Number: r.biz.OutTradeNo, Reference: newReference(""),
		Amount: amount.Minor, Currency: "CNY", Subject: r.biz.Subject, Status: created, NotifyURL: r.notifyURL, ExpiresAt: end, Detail: detail{ReturnURL: r.returnURL}})
	switch {
	case err != nil:
		return trade{}, nil, err
	case t.Amount != amount.Minor:
		return trade{}, alipayBusiness("ACQ.CONTEXT_INCONSISTENT", "交易信息被篡改"), nil
	}
	switch t.at(s.clock.Now()) {
	case paid:
		return t, alipayBusiness("ACQ.TRADE_HAS_SUCCESS", "交易已被支付"), nil
	case closed, declined, expired:
		return t, alipayBusiness("ACQ.TRADE_HAS_CLOSE", "交易已经关闭"), nil
	}
	return t, nil, nil
}

// alipayEnd is the end of the trade's validity: absolute, or in minutes, hours or days from now; two hours by default,
// as long as an unscanned code lives.
func (s *Sandbox) alipayEnd(r alipayRequest) (*time.Time, bool) {
	if text := r.biz.TimeExpire; text != "" {
		end, err := time.ParseInLocation(alipayTime, text, beijing)
		end = end.UTC()
		return &end, err == nil
	}
	text := r.biz.TimeoutExpress
	if text == "" {
		text = "2h"
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		text = days + "h"
	}
	d, err := time.ParseDuration(text)
	if strings.HasSuffix(r.biz.TimeoutExpress, "d") {
		d *= 24
	}
	end := s.clock.Now().Add(d)
	return &end, err == nil && d >= time.Minute && d <= 15*24*time.Hour
}

// alipayQuery tells of a trade; a code nobody has scanned is no trade yet.
func (s *Sandbox) alipayQuery(ctx context.Context, r alipayRequest) (alipayAnswer, error) {
	t, err := s.find(ctx, models.ChannelAlipay, r.biz.OutTradeNo)
	if errors.Is(err, errNoTrade) || (err == nil && t.ScannedAt == nil) {
		return alipayBusiness("ACQ.TRADE_NOT_EXIST", "交易不存在"), nil
	}
	if err != nil {
		return nil, err
	}
	state := t.at(s.clock.Now())
	word := alipayStatus(state)
	if state == paid && t.Refunded == t.Amount {
		word = "TRADE_CLOSED" // all of it went back
	}
	answer := alipaySuccess(alipayAnswer{"out_trade_no": t.Number, "trade_no": t.Reference, "trade_status": word,
		"total_amount": money.New(claimed(ctx, t.Amount), "CNY").Decimal(), "buyer_logon_id": "pay***@sandbox.example"})
	if state == paid {
		answer["send_pay_date"] = t.PaidAt.In(beijing).Format(alipayTime)
	}
	return answer, nil
}

func alipayStatus(state status) string {
	switch state {
	case paid:
		return "TRADE_SUCCESS"
	case closed, declined, expired:
		return "TRADE_CLOSED"
	}
	return "WAIT_BUYER_PAY"
}

// alipayClose ends an unpaid trade. An unscanned code is revoked as well, so that what was cancelled stays unpaid, and
// answered as Alipay does: there is no such trade.
func (s *Sandbox) alipayClose(ctx context.Context, r alipayRequest) (alipayAnswer, error) {
	t, err := s.find(ctx, models.ChannelAlipay, r.biz.OutTradeNo)
	if errors.Is(err, errNoTrade) {
		return alipayBusiness("ACQ.TRADE_NOT_EXIST", "交易不存在"), nil
	}
	if err != nil {
		return nil, err
	}
	done := false
	state := t.at(s.clock.Now())
	if state == created || state == waiting {
		if done, err = s.closeTrade(ctx, t); err != nil {
			return nil, err
		}
	}
	switch {
	case t.ScannedAt == nil && (done || state != created):
		return alipayBusiness("ACQ.TRADE_NOT_EXIST", "交易不存在"), nil
	case !done:
		return alipayBusiness("ACQ.REASON_TRADE_STATUS_INVALID", "交易状态不合法"), nil
	}
	return alipaySuccess(alipayAnswer{"out_trade_no": t.Number, "trade_no": t.Reference}), nil
}
