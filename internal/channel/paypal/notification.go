package paypal

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"time"

	"paydesk/internal/channel"
	"paydesk/internal/channel/guard"
)

// How far a notification's time may be off. Back, as long as PayPal repeats one, for repeats may bear the first time; the inbox takes each
// event once, so an old one that somebody else repeats does nothing.
const (
	maxAge   = 3 * 24 * time.Hour
	maxAhead = 10 * time.Minute
)

// ParseNotification verifies a webhook event on the bytes as they came, without asking PayPal: SHA256withRSA over
// transmission id | time | our webhook's id | CRC-32 of the body, by a certificate that PayPal vouches for. (PayPal's own check by API wants
// the event marshalled again, which changes it, and a call for whatever anybody sends us.)
func (a *Adapter) ParseNotification(ctx context.Context, n channel.Notification) (channel.Event, error) {
	ctx, cancel := context.WithTimeout(ctx, guard.Timeout)
	defer cancel()
	err := a.signed(ctx, n)
	var e channel.Event
	if err == nil {
		e, err = a.told(ctx, n.Body)
	}
	switch {
	case err == nil:
		return e, nil
	case errors.Is(err, channel.ErrUnavailable): // PayPal could not be asked now: it comes again
		return channel.Event{}, err
	}
	return channel.Event{}, fmt.Errorf("%w: paypal: %w", channel.ErrForged, err)
}

// transmission is an id of PayPal's; what is signed begins with it.
var transmission = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)

// The bytes of a signature: of an RSA key of 2048 bits, and of any that may come.
const leastSignature, mostSignature = 256, 1024

// signed first refuses what cannot be PayPal's: only so many certificates may be fetched, and their addresses are anybody's to write.
func (a *Adapter) signed(ctx context.Context, n channel.Notification) error {
	h := n.Header.Get
	if _, err := opened(n.Body); err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, h("Paypal-Transmission-Time"))
	switch {
	case !transmission.MatchString(h("Paypal-Transmission-Id")):
		return fmt.Errorf("transmission %.40q", h("Paypal-Transmission-Id"))
	case err != nil || time.Since(at) > maxAge || time.Until(at) > maxAhead:
		return fmt.Errorf("time %.40q", h("Paypal-Transmission-Time"))
	case h("Paypal-Auth-Algo") != "SHA256withRSA":
		return fmt.Errorf("algorithm %.40q", h("Paypal-Auth-Algo"))
	}
	signature, err := base64.StdEncoding.DecodeString(h("Paypal-Transmission-Sig"))
	if err != nil || len(signature) < leastSignature || len(signature) > mostSignature {
		return fmt.Errorf("no signature")
	}
	key, err := a.certificates.key(ctx, h("Paypal-Cert-Url"))
	if err != nil {
		return err
	}
	message := fmt.Sprintf("%s|%s|%s|%d", h("Paypal-Transmission-Id"), h("Paypal-Transmission-Time"), a.webhookID, crc32.ChecksumIEEE(n.Body))
	sum := sha256.Sum256([]byte(message))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return fmt.Errorf("the signature is not this body's")
	}
	return nil
}

// occurrence is a webhook event.
type occurrence struct {
	ID       string          `json:"id"`
	Type     string          `json:"event_type"`
	Resource json.RawMessage `json:"resource"`
}

func opened(body []byte) (in occurrence, err error) {
	if json.Unmarshal(body, &in) != nil || in.ID == "" {
		err = errors.New("not an event")
	}
	return in, err
}

// told reads a verified event. What does not concern a payment of ours has no number: it waits in the inbox for an operator's eye.
func (a *Adapter) told(ctx context.Context, body []byte) (channel.Event, error) {
	in, err := opened(body)
	if err != nil {
		return channel.Event{}, err
	}
	e := channel.Event{State: channel.StatePending}
	switch in.Type {
	case "CHECKOUT.ORDER.APPROVED", "CHECKOUT.ORDER.COMPLETED", "CHECKOUT.ORDER.VOIDED":
		e, err = a.toldOrder(in.Resource)
	case "PAYMENT.CAPTURE.COMPLETED", "PAYMENT.CAPTURE.PENDING", "PAYMENT.CAPTURE.DENIED", "PAYMENT.CAPTURE.DECLINED":
		e, err = a.toldCapture(in.Resource)
	case "PAYMENT.CAPTURE.REFUNDED", "PAYMENT.REFUND.PENDING", "PAYMENT.REFUND.FAILED":
		e, err = a.toldRefund(ctx, in.Resource)
	case "PAYMENT.CAPTURE.REVERSED":
		e, err = a.toldReversal(ctx, in.Resource)
	case "CUSTOMER.DISPUTE.CREATED", "CUSTOMER.DISPUTE.UPDATED", "CUSTOMER.DISPUTE.RESOLVED", "RISK.DISPUTE.CREATED":
		e, err = a.toldDispute(ctx, in.Resource)
	}
	e.ID = in.ID
	if e.Detail == "" {
		e.Detail = in.Type
	} else if e.State == channel.StateDisputed {
		e.Detail = in.Type + " " + e.Detail
	}
	return e, err
}

func (a *Adapter) toldOrder(text []byte) (channel.Event, error) {
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		return channel.Event{}, fmt.Errorf("not an order")
	}
	if len(o.Units) != 1 { // not made by us
		return channel.Event{Reference: o.ID, State: channel.StatePending}, nil
	}
	return a.event(o, o.Units[0].Number)
}

func (a *Adapter) toldCapture(text []byte) (channel.Event, error) {
	var c capture
	if err := json.Unmarshal(text, &c); err != nil || !a.ours(c.Payee) {
		return channel.Event{}, fmt.Errorf("not a capture of ours")
	}
	id := c.Related.IDs.Order
	if id == "" {
		id = above(c.Links)
	}
	if id == "" && c.Number != "" { // refunds could not be asked for by it: the sweep's question finds the whole
		return channel.Event{}, fmt.Errorf("a capture without its order")
	}
	return c.event(channel.Event{Number: c.Number, Reference: id})
}

// above is the id of the order that a capture's link "up" names.
func above(links []link) string { return linked(links, "orders") }

// linked is the id of what a link "up" leads to, where that is of a kind.
func linked(links []link, kind string) string {
	if u, err := url.Parse(order{Links: links}.link("up")); err == nil && path.Base(path.Dir(u.Path)) == kind {
		return path.Base(u.Path)
	}
	return ""
}

// toldRefund: a refund that bears no number of ours was made at PayPal; the statement shows it to an operator.
func (a *Adapter) toldRefund(ctx context.Context, text []byte) (channel.Event, error) {
	var r refund
	if err := json.Unmarshal(text, &r); err != nil || !a.ours(r.Payer) {
		return channel.Event{}, fmt.Errorf("not a refund of ours")
	}
	payment, number := numbersOf(r.Custom)
	if r.Custom == "" && r.Invoice != "" {
		var err error
		if payment, err = a.paymentOf(ctx, "", linked(r.Links, "captures")); err != nil {
			return channel.Event{}, err
		}
		number = r.Invoice
	}
	if payment == "" || number == "" || number == payment {
		return channel.Event{Reference: r.ID, State: channel.StatePending}, nil
	}
	return r.event(channel.Ref{Number: payment}, channel.Ref{Number: number})
}

// Acknowledge is 200; PayPal repeats for anything but a 2xx.
func (a *Adapter) Acknowledge() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusOK}
}

// Refuse is 400.
func (a *Adapter) Refuse() channel.Acknowledgement {
	return channel.Acknowledgement{Status: http.StatusBadRequest}
}
