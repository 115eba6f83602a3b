package unionpay

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"paydesk/internal/channel"
)

// fields are a message of the protocol.
type fields map[string]string

// request begins a message of ours; channelType 07 is a browser.
func (a *Adapter) request(txnType, txnSubType, bizType, txnTime string) fields {
	return fields{"version": "5.1.0", "encoding": "UTF-8", "signMethod": "01", "accessType": "0", "channelType": "07",
		"txnType": txnType, "txnSubType": txnSubType, "bizType": bizType, "merId": a.merchant, "txnTime": txnTime}
}

// names are the fields that are there, sorted; an empty one is none.
func names(f fields) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(f)), func(name string) bool { return f[name] == "" })
}

// digest is what is signed: the SHA-256 of the lower hexadecimal SHA-256 of sorted k=v joined by &, as they are, without signature.
func digest(f fields) [sha256.Size]byte {
	var pairs []string
	for _, name := range names(f) {
		if name != "signature" {
			pairs = append(pairs, name+"="+f[name])
		}
	}
	inner := sha256.Sum256([]byte(strings.Join(pairs, "&")))
	return sha256.Sum256([]byte(hex.EncodeToString(inner[:])))
}

// sign completes a message of ours.
func (a *Adapter) sign(f fields) error {
	f["certId"] = a.certID
	sum := digest(f)
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		return fmt.Errorf("%w: unionpay: our message could not be signed", channel.ErrUnavailable)
	}
	f["signature"] = base64.StdEncoding.EncodeToString(signature)
	return nil
}

// verify reports why a message is not UnionPay's to us; nil where it is.
func (a *Adapter) verify(f fields) error {
	key, err := a.trust.key(f["signPubKeyCert"], time.Now())
	if err != nil {
		return err
	}
	signature, err := base64.StdEncoding.DecodeString(f["signature"])
	if err != nil {
		return errors.New("an unreadable signature")
	}
	sum := digest(f)
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return errors.New("a wrong signature")
	}
	if err := unequivocal(f); err != nil {
		return err
	}
	if f["merId"] != a.merchant {
		return errors.New("for another merchant")
	}
	return nil
}

// call sends a message and gives the answer, verified. Errors: ErrUnknown, ErrUnavailable; nothing that is not signed decides anything.
func (a *Adapter) call(ctx context.Context, to endpoint, path string, f fields) (fields, error) {
	if err := a.sign(f); err != nil {
		return nil, err
	}
	form := url.Values{}
	for _, name := range names(f) {
		form.Set(name, f[name])
	}
	ctx, cancel := context.WithTimeout(ctx, to.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.JoinPath(path).String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, channel.TransportError(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	res, err := to.client.Do(r)
	if err != nil {
		return nil, channel.TransportError(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: unionpay, HTTP %d", channel.ErrUnknown, res.StatusCode)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, channel.TransportError(err)
	}
	answer := split(string(body))
	if err := a.verify(answer); err != nil {
		return nil, fmt.Errorf("%w: unionpay's answer has %w", channel.ErrUnknown, err)
	}
	return answer, nil
}

// split reads an answer: k=v&k=v, not URL-encoded; a value in braces may hold & itself.
func split(text string) fields {
	f := fields{}
	depth, begin := 0, 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text), text[i] == '&' && depth == 0:
			if name, value, ok := strings.Cut(text[begin:i], "="); ok {
				f[name] = value
			}
			begin = i + 1
		case text[i] == '{':
			depth++
		case text[i] == '}' && depth > 0:
			depth--
		}
	}
	return f
}
