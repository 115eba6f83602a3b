//go:build !linux

package httpapi

import (
	"net"
	"time"
)

// noticeSilence leaves it to the system's own timeouts, where there is no option for it.
func noticeSilence(*net.TCPConn, time.Duration) {}
