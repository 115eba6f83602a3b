package auth

import (
	"context"
	"net/netip"
)

type addressKey struct{}

// WithAddress says how to find out where the request comes from, for as long as it or its socket lives: few ask, and it takes reading headers.
func WithAddress(ctx context.Context, read func() netip.Addr) context.Context {
	return context.WithValue(ctx, addressKey{}, read)
}

// Address is the client's address as far as it can be trusted; not valid where nobody knows.
func Address(ctx context.Context) netip.Addr {
	if read, ok := ctx.Value(addressKey{}).(func() netip.Addr); ok {
		return read()
	}
	return netip.Addr{}
}
