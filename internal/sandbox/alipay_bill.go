package sandbox

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"

	"paydesk/models"
)

// alipayBillPath is where bills are fetched: GET, unsigned, with the ticket that the gateway gave.
const alipayBillPath = "/sandbox/alipay/downloadBillFile.resource"

// alipayBillLife is how long an address of a bill lives.
const alipayBillLife = 30 * time.Second

// alipayBill is alipay.data.dataservice.bill.downloadurl.query: the address of a day's trades. A day that is not over is no valid one.
func (s *Sandbox) alipayBill(_ context.Context, r alipayRequest) (alipayAnswer, error) {
	_, _, over, err := s.billDay(time.DateOnly, r.biz.BillDate, beijing)
	if err != nil || !over || r.biz.BillType != "trade" {
		return alipayBusiness("isv.invalid_arguments", "入参不合法"), nil
	}
	return alipaySuccess(alipayAnswer{"bill_download_url": r.own + alipayBillPath + "?bizType=trade&fileType=csv.zip&fileId=" + ticket(r.keys.Platform, r.biz.BillDate, alipayBillLife)}), nil
}

// alipayBillFile is the file: a ZIP of two GBK texts, their names in GBK too.
func (s *Sandbox) alipayBillFile(w http.ResponseWriter, r *http.Request) {
	k, err := s.alipayKeys(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	day, ok := redeem(k.Platform, r.URL.Query().Get("fileId"))
	if !ok {
		http.Error(w, "链接已失效", http.StatusForbidden)
		return
	}
	file, err := s.alipayBillZIP(r.Context(), k, day)
	if err != nil {
		s.failed(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Write(file)
}

func (s *Sandbox) alipayBillZIP(ctx context.Context, k *alipayKeys, day string) ([]byte, error) {
	from, to, _, err := s.billDay(time.DateOnly, day, beijing)
	if err != nil {
		return nil, err
	}
	trades, refunds, err := s.booked(ctx, models.ChannelAlipay, from, to)
	if err != nil {
		return nil, err
	}
	of := map[string]trade{} // a refund's trade may be of another day
	for _, r := range refunds {
		if of[r.Trade], err = s.find(ctx, r.Channel, r.Trade); err != nil {
			return nil, err
		}
	}
	name := k.SellerID + "0156_" + strings.ReplaceAll(day, "-", "") + "_业务明细"
	head := fmt.Sprintf("#账号：[%s0156]\r\n#起始日期：[%s]   终止日期：[%s]\r\n", k.SellerID, chineseTime(from), chineseTime(to))
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []struct{ name, text string }{
		{name + ".csv", "#支付宝业务明细查询\r\n" + head + alipayBillLines(trades, refunds, of)},
		{name + "(汇总).csv", "#支付宝业务汇总查询\r\n" + head + alipayBillSums(trades, refunds)},
	} {
		part, err := z.CreateHeader(&zip.FileHeader{Name: gbk(f.name), NonUTF8: true, Method: zip.Deflate})
		if err != nil {
			return nil, err
		}
		if _, err := io.WriteString(part, gbk(f.text)); err != nil {
			return nil, err
		}
	}
	err = z.Close()
	return b.Bytes(), err
}

// gbk encodes a text; what the encoding lacks becomes a substitute.
func gbk(text string) string {
	out, err := encoding.ReplaceUnsupported(simplifiedchinese.GBK.NewEncoder()).String(text)
	if err != nil {
		panic(err) // nothing is unsupported any more
	}
	return out
}
