// Package guardtest plays the internet's names for tests of guards.
package guardtest

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/netip"
	"testing"
)

// Names makes all names resolve to one address for a test, as whoever owns a name can.
func Names(t testing.TB, to netip.Addr) {
	old := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = old })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go answerNames(theirs, to)
		return ours, nil
	}}
}

// answerNames speaks DNS as on a stream: A with the address, anything else with nothing.
func answerNames(c net.Conn, to netip.Addr) {
	defer c.Close()
	for {
		var length [2]byte
		if _, err := io.ReadFull(c, length[:]); err != nil {
			return
		}
		m := make([]byte, binary.BigEndian.Uint16(length[:]))
		if _, err := io.ReadFull(c, m); err != nil {
			return
		}
		end := 12
		for m[end] != 0 {
			end += int(m[end]) + 1
		}
		end += 5
		kind := binary.BigEndian.Uint16(m[end-4:])
		m = m[:end]
		m[2], m[3] = 0x81, 0x80
		copy(m[4:12], []byte{0, 1, 0, 0, 0, 0, 0, 0})
		if kind == 1 {
			m[7] = 1
			m = append(m, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
			m = append(m, to.AsSlice()...)
		}
		c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(m))), m...))
	}
}
