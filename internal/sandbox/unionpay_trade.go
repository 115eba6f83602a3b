package sandbox

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"time"
)

var (
	unionpayNumber = regexp.MustCompile(`^[0-9A-Za-z]{8,40}$`)
	unionpayAmount = regexp.MustCompile(`^[1-9][0-9]{0,11}$`)
	unionpayRisk   = regexp.MustCompile(`^(\{[A-Za-z]+=[^&={}\[\]"']+(&[A-Za-z]+=[^&={}\[\]"']+)*\})?$`)
)

// unionpayReference is a queryId: the day, then random digits, 21 in all.
func unionpayReference() string { return time.Now().In(beijing).Format("20060102") + digits(13) }

// unionpayFront is where the payer's browser arrives with the merchant's form: a trade is opened, or found, and the browser goes on to
// its page. What is wrong with the form is told to the payer. It is no call of the merchant's, so it behaves whatever calls do.
func (s *Sandbox) unionpayFront(kind unionpayKind) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in, refused, err := s.unionpayRead(r, kind)
		var t trade
		if err == nil && refused == "" {
			t, refused, err = s.unionpayOpen(r.Context(), in)
		}
		switch {
		case err != nil:
			s.failed(w, r, err)
		case refused != "":
			http.Error(w, "UnionPay sandbox: "+refused+" "+unionpayMessage(refused), http.StatusBadRequest)
		default:
			http.Redirect(w, r, s.payerURL(t.Token), http.StatusSeeOther)
		}
	}
}

// unionpayOpen is a payment, txnType 01. The same order sent again, at whatever time, is the same trade.
func (s *Sandbox) unionpayOpen(ctx context.Context, r unionpayRequest) (t trade, refused string, err error) {
	f := r.fields
	amount, err := strconv.ParseInt(f["txnAmt"], 10, 64)
	if err != nil || !unionpayAmount.MatchString(f["txnAmt"]) || f["currencyCode"] != "156" || !unionpayNumber.MatchString(f["orderId"]) ||
		f["txnType"] != "01" || f["txnSubType"] != "01" || f["bizType"] != r.kind.bizType || f["channelType"] != "07" && f["channelType"] != "08" ||
		!unionpayURL(f["backUrl"]) || f["frontUrl"] != "" && !unionpayURL(f["frontUrl"]) || !unionpayRisk.MatchString(f["riskRateInfo"]) {
		return t, "10", nil
	}
	t = trade{Channel: r.kind.channel, Number: f["orderId"], Reference: unionpayReference(), Amount: amount, Currency: "CNY", Subject: f["orderDesc"], Status: waiting,
		NotifyURL: f["backUrl"], Detail: detail{Bank: f["issInsCode"], ReturnURL: f["frontUrl"], MadeAt: f["txnTime"]}}
	if text := f["payTimeout"]; text != "" {
		end, err := time.ParseInLocation(unionpayTime, text, beijing)
		if err != nil {
			return t, "10", nil
		}
		end = end.UTC()
		t.ExpiresAt = &end
	}
	known, err := s.register(ctx, t)
	if err == nil && (known.Amount != amount || known.Detail.MadeAt != t.Detail.MadeAt) {
		return t, "12", nil
	}
	return known, "", err
}

// unionpayQuery is queryTrans.do: of a payment or a refund, by its number and its time. respCode 00 says that it is known; origRespCode
// what became of it.
func (s *Sandbox) unionpayQuery(ctx context.Context, r unionpayRequest) (unionpayAnswer, error) {
	f := r.fields
	if f["txnType"] != "00" || f["bizType"] != "000000" {
		return unionpayRefusal("10"), nil
	}
	t, err := s.find(ctx, r.kind.channel, f["orderId"])
	switch {
	case errors.Is(err, errNoTrade):
		return s.unionpayQueryRefund(ctx, r)
	case err != nil:
		return nil, err
	case t.Detail.MadeAt != f["txnTime"]:
		return unionpayRefusal("34"), nil
	}
	if behaviourIn(ctx).Call == wrongAmount {
		t.Amount++
	}
	code, at := unionpayState(t.at(s.clock.Now()), t.Detail), t.CreatedAt
	if t.PaidAt != nil {
		at = *t.PaidAt
	}
	a := unionpayTold(ctx, "01", "01", r.kind, t.Reference, t.Amount, at)
	a["respCode"], a["respMsg"], a["origRespCode"], a["origRespMsg"] = "00", unionpayMessage("00"), code, unionpayMessage(code)
	return a, nil
}

// unionpayState is a trade's code: what was refused as a whole, or not paid in time, has failed; everything open is being worked on, or has
// the code of the last card.
func unionpayState(state status, d detail) string {
	switch {
	case state == paid:
		return "00"
	case state == declined, state == closed, state == expired:
		return "01"
	case d.Failure != "":
		return d.Failure
	}
	return "05"
}

// unionpayCard are the codes of a card's bank.
var unionpayCard = regexp.MustCompile(`^[678][0-9]$`)

// unionpayDecline ends a trade; with code=64 its bank refuses one card, and the page goes on to take another.
func unionpayDecline(ctx context.Context, s *Sandbox, t trade, form url.Values) (bool, error) {
	if !form.Has("code") {
		return s.decline(ctx, t)
	}
	t.Detail.Failure = form.Get("code")
	if state := t.at(s.clock.Now()); state != waiting || !unionpayCard.MatchString(t.Detail.Failure) {
		return false, nil
	}
	return true, s.note(ctx, t)
}

// unionpayTold are the fields that tell of money, in answers and notifications.
func unionpayTold(ctx context.Context, txnType, txnSubType string, kind unionpayKind, reference string, amount int64, at time.Time) unionpayAnswer {
	if behaviourIn(ctx).Call == clockSkew {
		at = at.Add(-skewed)
	}
	at = at.In(beijing)
	settled := at.Add(time.Hour) // the clearing day ends at 23:00
	fen := strconv.FormatInt(amount, 10)
	return unionpayAnswer{"txnType": txnType, "txnSubType": txnSubType, "bizType": kind.bizType, "queryId": reference, "txnAmt": fen, "currencyCode": "156",
		"settleAmt": fen, "settleCurrencyCode": "156", "settleDate": settled.Format("0102"), "traceNo": reference[len(reference)-6:], "traceTime": at.Format("0102150405")}
}
