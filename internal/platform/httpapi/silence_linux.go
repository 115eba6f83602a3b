package httpapi

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// noticeSilence lets the kernel end a connection whose peer acknowledges nothing any more, as after a pulled cable. An event
// stream needs it: its heartbeat is written into the kernel's buffer, which takes a quarter of an hour to give up by itself.
func noticeSilence(c *net.TCPConn, after time.Duration) {
	raw, err := c.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) { // a connection that ends meanwhile needs it no more
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(after.Milliseconds()))
	})
}
