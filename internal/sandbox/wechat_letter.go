package sandbox

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"time"
)

// wechatLetter is the notification TRANSACTION.SUCCESS, REFUND.SUCCESS, REFUND.CLOSED or REFUND.ABNORMAL: its subject sealed with AEAD_AES_256_GCM
// under the APIv3 key, the envelope signed like a response.
func wechatLetter(ctx context.Context, k *wechatKeys, n notification, f fact) (letter, error) {
	subject, event, summary, content := "transaction", "TRANSACTION.SUCCESS", "支付成功", wechatTransaction(k, f)
	if f.Refund != nil {
		subject, event, summary, content = "refund", "REFUND."+wechatRefundState(f.Refund.State), "退款通知", wechatRefundNotice(k, f)
	}
	nonce := digits(12)
	sealed, err := wechatSeal(k.APIv3Key, nonce, subject, rawJSON(content))
	if err != nil {
		return letter{}, err
	}
	body := rawJSON(map[string]any{
		"id": n.NotifyID, "create_time": stamp(ctx).In(beijing).Format(time.RFC3339), "resource_type": "encrypt-resource",
		"event_type": event, "summary": summary,
		"resource": map[string]any{"algorithm": "AEAD_AES_256_GCM", "original_type": subject,
			"associated_data": subject, "nonce": nonce, "ciphertext": sealed}, // base64, as []byte marshals
	})
	header, err := wechatSign(ctx, k, body, n.Forged)
	if err != nil {
		return letter{}, err
	}
	header["Content-Type"] = "application/json"
	header["Wechatpay-Signature-Type"] = "WECHATPAY2-SHA256-RSA2048"
	return letter{header, body}, nil
}

func wechatSeal(key, nonce, associated string, text []byte) ([]byte, error) {
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return gcm.Seal(nil, []byte(nonce), text, []byte(associated)), nil
}
