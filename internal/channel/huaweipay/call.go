package huaweipay

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// call sends a request and reads what Huawei Pay has signed of its answer into out (nil: nothing is read). A refusal is a *refusal, whose
// signature is checked where it can end anything; everything else is a channel's error.
func (a *Adapter) call(ctx context.Context, method, path string, in map[string]any, out any) error {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	r, err := a.request(ctx, method, path, in)
	if err != nil {
		return err
	}
	res, err := a.client.Do(r)
	if err != nil {
		return channel.TransportError(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return channel.TransportError(err)
	case res.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%w: huaweipay, HTTP %d", channel.ErrUnavailable, res.StatusCode)
	case res.StatusCode != http.StatusOK:
		return fmt.Errorf("%w: huaweipay, HTTP %d", channel.ErrUnknown, res.StatusCode)
	}
	return a.read(body, out)
}

// request signs what it sends: the fields of a body, or with GET the path and query as the provider has them, without our prefix.
func (a *Adapter) request(ctx context.Context, method, path string, in map[string]any) (*http.Request, error) {
	var body []byte
	signedBody := path
	if method != http.MethodGet {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return nil, fmt.Errorf("%w: huaweipay: %v", channel.ErrUnavailable, err)
		}
		signedBody = canonical(in)
	}
	auth, err := a.authorization(signedBody)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(a.base.String(), "/")+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: huaweipay: %v", channel.ErrUnavailable, err)
	}
	r.Header["PayMercAuth"] = []string{auth} // as it is documented, not as Go writes headers
	r.Header.Set("Content-Type", "application/json; charset=UTF-8")
	r.Header.Set("Accept", "application/json")
	return r, nil
}

// read verifies an answer and takes it apart. Huawei Pay's gateway refuses without a signature; such a refusal says that nothing was done,
// and is never the end of a payment.
func (a *Adapter) read(body []byte, out any) error {
	fields, err := fieldsOf(body)
	if err != nil {
		return fmt.Errorf("%w: huaweipay: %v", channel.ErrUnknown, err)
	}
	result, _ := fields["resultCode"].(string)
	sub, _ := fields["subCode"].(string)
	_, hasSign := fields["sign"]
	switch {
	case (hasSign || result == success || result == business) && !a.signed(fields):
		return fmt.Errorf("%w: huaweipay's answer is not rightly signed", channel.ErrUnknown)
	case result != success:
		return &refusal{result, sub}
	case out == nil:
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("%w: huaweipay's answer is not readable", channel.ErrUnknown)
	}
	return nil
}

// refusal is an answer with a code of its own.
type refusal struct{ result, sub string }

// Error names both codes.
func (r *refusal) Error() string { return "huaweipay " + r.code() }

func (r *refusal) code() string { return strings.TrimSuffix(r.result+" "+r.sub, " ") }

// refused gives the codes of a refusal.
func refused(err error) (code string, ok bool) {
	var r *refusal
	if !errors.As(err, &r) {
		return "", false
	}
	return r.code(), true
}
