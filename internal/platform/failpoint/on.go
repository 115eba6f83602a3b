//go:build failpoint

// Package failpoint names the steps between which a process may die. Built with the tag "failpoint" and told by
// PAYDESK_FAILPOINT, the process kills itself at a step, as kill -9 does; otherwise a step costs nothing.
package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// wanted is "name" or "name:3" (the third time it is passed).
var (
	name, nth = parse(os.Getenv("PAYDESK_FAILPOINT"))
	passed    atomic.Int64
)

func parse(s string) (string, int64) {
	name, count, found := strings.Cut(s, ":")
	if !found {
		return name, 1
	}
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		panic("PAYDESK_FAILPOINT: " + err.Error())
	}
	return name, n
}

// Hit kills the process, without a chance to clean up, when this step was asked for.
func Hit(step string) {
	if step == name && passed.Add(1) == nth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
