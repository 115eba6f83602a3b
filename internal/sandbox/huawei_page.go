package sandbox

import (
	"net/http"
	"strconv"
	"time"

	"paydesk/models"
)

// huaweiOrderAge is how long an order string opens the wallet.
const huaweiOrderAge = 10 * time.Minute

// huaweiPage is the page that the code leads to: in life a merchant's, which opens the wallet with the order string in its parameter
// order; here the wallet itself. It takes what the wallet takes, an order string rightly signed, and sends the payer on.
func (s *Sandbox) huaweiPage(w http.ResponseWriter, r *http.Request) {
	k, err := s.huaweiKeys(r.Context())
	if err != nil {
		s.failed(w, r, err)
		return
	}
	order, err := huaweiObject([]byte(r.URL.Query().Get("order")))
	signature, _ := order["sign"].(string)
	nonce, _ := order["noncestr"].(string)
	at, _ := order["timestamp"].(string)
	millis, badTime := strconv.ParseInt(at, 10, 64)
	token, _ := order["prepay_id"].(string)
	switch {
	case err != nil || !k.merchantSigned(huaweiText(order, "sign"), signature):
		http.Error(w, "the order string is not rightly signed", http.StatusBadRequest)
		return
	case order["merc_no"] != k.MerchantNumber || order["app_id"] != k.AppID || order["auth_id"] != k.AuthID || nonce == "" || len(nonce) > 32 ||
		badTime != nil || time.UnixMilli(millis).After(time.Now().Add(huaweiDrift)):
		http.Error(w, "the order string is another merchant's, or incomplete", http.StatusBadRequest)
		return
	case time.Since(time.UnixMilli(millis)) > huaweiOrderAge:
		http.Error(w, "the order string is over ten minutes old", http.StatusGone)
		return
	}
	if t, err := s.findByToken(r.Context(), token); err != nil || t.Channel != models.ChannelHuaweiPay {
		http.NotFound(w, r)
		return
	}
	code := http.StatusSeeOther
	if r.Method == http.MethodPost {
		code = http.StatusTemporaryRedirect // a choice that was sent here goes on to the payer's page
	}
	http.Redirect(w, r, s.payerURL(token), code)
}
