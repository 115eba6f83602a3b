package channel

import "paydesk/models"

// Registry has the adapters that are configured, by channel.
type Registry map[models.PaymentChannel]Adapter

// Healthy reports whether a channel has an adapter and its circuit breaker lets calls through.
func (r Registry) Healthy(c models.PaymentChannel) bool {
	a, ok := r[c]
	if !ok {
		return false
	}
	h, ok := a.(interface{ Available() bool })
	return !ok || h.Available()
}

// Cards is the channel's reader of cards; false where it has none.
func (r Registry) Cards(c models.PaymentChannel) (CardReader, bool) {
	a, ok := r[c].(CardReader)
	return a, ok
}
