package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"paydesk/models"
)

// behaviour is how a channel's provider treats us from now on. Notify is contract.md's; Call is for fault tests of the
// calling side.
type behaviour struct {
	Notify string // normal, drop, duplicate, delay:5s, forge
	Call   string // normal, slow:3s, error500, timeout_after_success, wrong_amount, bad_signature, clock_skew, paid_after_close, refund_fail, refund_late:3s, refund_held, refund_limited
}

const (
	normal              = "normal"
	drop                = "drop"
	duplicate           = "duplicate"
	forge               = "forge"
	delay               = "delay:"
	slow                = "slow:"
	error500            = "error500"
	timeoutAfterSuccess = "timeout_after_success"
	wrongAmount         = "wrong_amount"
	badSignature        = "bad_signature"    // answers and notifications are signed with a wrong key
	paidAfterClose      = "paid_after_close" // whoever closes a trade closes it while its payer is just paying
	clockSkew           = "clock_skew"       // the protocol's timestamps are off by skewed
	refundFail          = "refund_fail"      // refunds that are asked for from now on fail
	refundLate          = "refund_late:"     // they are on their way for that long
	refundHeld          = "refund_held"      // WeChat Pay: they leave the merchant and do not reach the payer (ABNORMAL)
	refundLimited       = "refund_limited"   // WeChat Pay: another refund of the same trade comes too soon
)

// longestHang is how long timeout_after_success keeps a caller waiting; adapters give up after 10 s.
const longestHang = 15 * time.Second

// setBehaviour is POST /sandbox/behaviour: 204, or 400 with what is wrong.
func (s *Sandbox) setBehaviour(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Channel models.PaymentChannel `json:"channel"`
		Notify  *string               `json:"notify"`
		Call    *string               `json:"call"`
	}
	d := json.NewDecoder(r.Body)
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		badRequest(w, `not {"channel","notify"} in JSON: `+err.Error())
		return
	}
	switch {
	case !slices.Contains(s.channels(), in.Channel):
		badRequest(w, fmt.Sprintf("channel %q: one of %v is wanted", in.Channel, s.channels()))
	case in.Notify == nil && in.Call == nil:
		badRequest(w, "notify is wanted: normal, drop, duplicate, delay:5s or forge")
	case in.Notify != nil && !fits(*in.Notify, []string{delay}, normal, drop, duplicate, forge):
		badRequest(w, fmt.Sprintf("notify %q: normal, drop, duplicate, delay:5s or forge is wanted", *in.Notify))
	case in.Call != nil && !fits(*in.Call, []string{slow, refundLate}, normal, error500, timeoutAfterSuccess, wrongAmount, refundFail, refundHeld, refundLimited, badSignature, clockSkew, paidAfterClose):
		badRequest(w, fmt.Sprintf("call %q: normal, slow:3s, error500, timeout_after_success, wrong_amount, bad_signature, clock_skew, paid_after_close, refund_fail, refund_late:3s, refund_held or refund_limited is wanted", *in.Call))
	case in.Call != nil && slices.Contains([]string{refundHeld, refundLimited}, *in.Call) && in.Channel != models.ChannelWeChatPay:
		badRequest(w, fmt.Sprintf("call %q: %s does not know it", *in.Call, in.Channel))
	default:
		if err := s.storeBehaviour(r.Context(), in.Channel, in.Notify, in.Call); err != nil {
			s.failed(w, r, err)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// fits: one of the words, or one of the prefixes with a duration from 0 to one hour.
func fits(value string, prefixes []string, words ...string) bool {
	if slices.Contains(words, value) {
		return true
	}
	for _, prefix := range prefixes {
		rest, ok := strings.CutPrefix(value, prefix)
		d, err := time.ParseDuration(rest)
		if ok && err == nil && d >= 0 && d <= time.Hour {
			return true
		}
	}
	return false
}

func badRequest(w http.ResponseWriter, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusBadRequest)
	json.NewEncoder(w).Encode(map[string]string{"error": text})
}

// storeBehaviour changes what is given and leaves the rest.
func (s *Sandbox) storeBehaviour(ctx context.Context, c models.PaymentChannel, notify, call *string) error {
	return s.db.InTx(ctx, func(ctx context.Context) error {
		b, err := s.behaviour(ctx, c)
		if err != nil {
			return err
		}
		if notify != nil {
			b.Notify = *notify
		}
		if call != nil {
			b.Call = *call
		}
		if _, err := s.db.Exec(ctx, "DELETE FROM sandbox_behaviour WHERE channel = ?", string(c)); err != nil {
			return err
		}
		_, err = s.db.Exec(ctx, "INSERT INTO sandbox_behaviour (channel, notify_mode, call_mode, updated_at) VALUES (?,?,?,?)",
			string(c), b.Notify, b.Call, wall())
		return err
	})
}

// behaviour is how the channel behaves: in a call, as it did when the call came, for a provider that changed its mind in the middle of one
// would book what it does not tell.
func (s *Sandbox) behaviour(ctx context.Context, c models.PaymentChannel) (behaviour, error) {
	if b, ok := ctx.Value(behaviourKey{}).(behaviour); ok {
		return b, nil
	}
	b := behaviour{normal, normal}
	_, err := s.db.QueryRow(ctx, []any{&b.Notify, &b.Call},
		"SELECT notify_mode, call_mode FROM sandbox_behaviour WHERE channel = ?", string(c))
	return b, err
}

// misbehaving wraps a gateway: slow, broken, or deaf after the deed is done.
func (s *Sandbox) misbehaving(c models.PaymentChannel, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		b, err := s.behaviour(r.Context(), c)
		if err != nil {
			s.failed(w, r, err)
			return
		}
		r = r.WithContext(withBehaviour(r.Context(), b))
		wait, isSlow := strings.CutPrefix(b.Call, slow)
		switch {
		case isSlow:
			d, _ := time.ParseDuration(wait)
			s.hang(r, d)
			next(w, r)
		case b.Call == error500:
			http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		case b.Call == timeoutAfterSuccess:
			next(&nowhere{}, r)
			s.hang(r, longestHang)
			panic(http.ErrAbortHandler) // the caller never hears of it
		default:
			next(w, r)
		}
	}
}

// hang waits, but not longer than the caller or the sandbox does.
func (s *Sandbox) hang(r *http.Request, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-r.Context().Done():
	case <-s.stopped:
	}
}

// nowhere swallows an answer.
type nowhere struct{ header http.Header }

func (n *nowhere) Header() http.Header {
	if n.header == nil {
		n.header = http.Header{}
	}
	return n.header
}
func (n *nowhere) Write(p []byte) (int, error) { return len(p), nil }
func (n *nowhere) WriteHeader(int)             {}

// skewed is how far clock_skew moves the timestamps that a provider writes: further than any protocol puts up with.
const skewed = 20 * time.Minute

type behaviourKey struct{}

func withBehaviour(ctx context.Context, b behaviour) context.Context {
	return context.WithValue(ctx, behaviourKey{}, b)
}

// behaviourIn is how the channel behaves in this call or notification.
func behaviourIn(ctx context.Context) behaviour {
	if b, ok := ctx.Value(behaviourKey{}).(behaviour); ok {
		return b
	}
	return behaviour{normal, normal}
}

// stamp is the time that a provider writes into a protocol: the wall clock, unless its clock is wrong.
func stamp(ctx context.Context) time.Time {
	if behaviourIn(ctx).Call == clockSkew {
		return wall().Add(-skewed)
	}
	return wall()
}

// spoils reports whether what is signed now is signed with a wrong key.
func spoils(ctx context.Context) bool { return behaviourIn(ctx).Call == badSignature }

// claimed is the amount that a provider tells of, in minor units: the true one, unless it is told to lie.
func claimed(ctx context.Context, amount int64) int64 {
	if behaviourIn(ctx).Call == wrongAmount {
		return amount + 1
	}
	return amount
}
