package sandbox

import (
	"crypto/aes"
	"crypto/cipher"

	"time"
)

// wechatLetter is the notification TRANSACTION.SUCCESS: the transaction sealed with AEAD_AES_256_GCM under the APIv3
// key, the envelope signed like a response.
func wechatLetter(k *keyring, n notification, f fact) (letter, error) {
	const associated = "transaction"
	nonce := digits(12)
	sealed, err := wechatSeal(k.stored.WeChat.APIv3Key, nonce, associated, rawJSON(wechatTransaction(k, f)))
	if err != nil {
		return letter{}, err
	}
	body := rawJSON(map[string]any{
		"id": n.NotifyID, "create_time": time.Now().In(beijing).Format(time.RFC3339), "resource_type": "encrypt-resource",
		"event_type": "TRANSACTION.SUCCESS", "summary": "支付成功",
		"resource": map[string]any{"algorithm": "AEAD_AES_256_GCM", "original_type": "transaction",
			"associated_data": associated, "nonce": nonce, "ciphertext": sealed}, // base64, as []byte marshals
	})
	header, err := wechatSign(k, body, n.Forged)
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
