package channel

import (
	"errors"
	"fmt"
	"net"
)

// TransportError classifies what went wrong below a provider's protocol. A connection that was never made is
// ErrUnavailable: nothing can have happened. Everything else (time-out, broken connection, an answer that is not the
// protocol's or not signed) is ErrUnknown. Addresses and ports may stand in the text, bodies and headers never.
func TransportError(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("%w: %v", ErrUnavailable, op)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return fmt.Errorf("%w: %v", ErrUnavailable, dns)
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}
