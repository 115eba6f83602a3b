package sandbox

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"time"

	"paydesk/models"
)

// huaweiBillLayout writes the day of a bill.
const huaweiBillLayout = "20060102"

// huaweiBillInfo tells where the bill of a day lies, once the day is over.
func (s *Sandbox) huaweiBillInfo(_ context.Context, r huaweiRequest) (huaweiAnswer, error) {
	text := r.http.URL.Query().Get("billDate")
	from, _, over, err := s.billDay(huaweiBillLayout, text, beijing)
	if err != nil {
		return huaweiBusiness("INVALID_ARGUMENTS", "参数不合法: billDate"), nil
	}
	answer := huaweiSuccess(huaweiAnswer{})
	if over && s.clock.Now().Before(from.AddDate(0, 0, 90)) {
		answer["billDownloadParam"] = map[string]any{"method": http.MethodGet, "downloadUrl": ownURL(r.http) + HuaweiPayPath + "/bill",
			"headers": map[string]any{"Authorization": ticket(r.keys.Platform, text, time.Minute), "Host": r.http.Host, "Content-Type": "application/octet-stream", "connection": "close"}}
	}
	return answer, nil
}

// huaweiColumns are those of a bill.
var huaweiColumns = []string{"商户号", "应用ID", "交易时间", "交易类型", "交易状态", "华为支付订单号", "商户订单号", "华为支付退款订单号", "商户退款订单号", "币种", "交易金额(元)", "手续费(元)", "商品名称"}

// huaweiBill is the archive: a note and the table.
func (s *Sandbox) huaweiBill(w http.ResponseWriter, r *http.Request) {
	k, err := s.huaweiKeys(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	text, ok := redeem(k.Platform, r.Header.Get("Authorization"))
	from, to, _, err := s.billDay(huaweiBillLayout, text, beijing)
	if !ok || err != nil {
		http.Error(w, "AccessDenied", http.StatusForbidden)
		return
	}
	trades, refunds, err := s.booked(r.Context(), models.ChannelHuaweiPay, from, to)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	if note, err := archive.Create("readme.txt"); err == nil {
		note.Write([]byte("sandbox"))
	}
	table, err := archive.Create("trade-bill-" + text + ".csv")
	if err == nil {
		table.Write([]byte("\ufeff"))
		rows := csv.NewWriter(table)
		rows.UseCRLF = true
		rows.Write(huaweiColumns)
		for _, t := range trades {
			rows.Write(huaweiRow(k, *t.BookedAt, "支付", "交易成功", t, refund{}, t.Amount))
		}
		for _, x := range refunds {
			rows.Write(huaweiRow(k, *x.BookedAt, "退款", "退款成功", trade{Number: x.Trade}, x, x.Amount))
		}
		rows.Flush()
	}
	if err := archive.Close(); err != nil {
		s.failed(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Write(out.Bytes())
}

// huaweiRow is a line; numbers are kept from spreadsheets with a tab.
func huaweiRow(k *huaweiKeys, at time.Time, kind, state string, t trade, x refund, amount int64) []string {
	fee := int64(0)
	if x.Number == "" {
		fee = (amount*6 + 500) / 1000 // 0.6 %
	}
	return []string{"\t" + k.MerchantNumber, "\t" + k.AppID, at.In(beijing).Format(time.DateTime), kind, state, "\t" + t.Reference, "\t" + t.Number,
		"\t" + x.Reference, "\t" + x.Number, "CNY", yuan(amount), yuan(fee), t.Subject}
}
