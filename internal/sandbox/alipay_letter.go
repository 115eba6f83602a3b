package sandbox

import (
	"context"
	"net/url"

	"paydesk/internal/money"
)

// alipayLetter is the asynchronous notification: a form, every field of it signed, empty ones too.
func alipayLetter(ctx context.Context, k *alipayKeys, n notification, f fact) (letter, error) {
	amount := money.New(f.Amount, "CNY").Decimal()
	form := url.Values{}
	for key, value := range map[string]string{
		"notify_type": "trade_status_sync", "notify_id": n.NotifyID, "notify_time": stamp(ctx).In(beijing).Format(alipayTime),
		"charset": "utf-8", "version": "1.0", "sign_type": "RSA2", "app_id": k.AppID, "auth_app_id": k.AppID,
		"seller_id": k.SellerID, "out_trade_no": f.Number, "trade_no": f.Reference, "trade_status": alipayStatus(f.State),
		"total_amount": amount, "subject": f.Subject, "body": "", "buyer_id": "2088000000000000",
		"gmt_create": f.CreatedAt.In(beijing).Format(alipayTime),
	} {
		form.Set(key, value)
	}
	if f.State == paid && f.PaidAt != nil {
		form.Set("gmt_payment", f.PaidAt.In(beijing).Format(alipayTime))
		form.Set("receipt_amount", amount)
		form.Set("buyer_pay_amount", amount)
	} else if f.ClosedAt != nil {
		form.Set("gmt_close", f.ClosedAt.In(beijing).Format(alipayTime))
	}
	if f.Refund != nil {
		alipayRefunded(form, f)
	}
	sig, err := sign(k.signer(n.Forged || spoils(ctx)), alipayCanonical(form, true))
	form.Set("sign", sig)
	return letter{map[string]string{"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, []byte(form.Encode())}, err
}
