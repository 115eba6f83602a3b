package httpapi

import (
	"context"
	"errors"
	"log"
	"log/slog"
	"net"
	"net/http"
)

// maxHeaderBytes of a request, its cookies and token included.
const maxHeaderBytes = 64 << 10

// Serve answers on the listener until ctx ends, then drains: it takes no new connections, subscriptions are told to
// reconnect, running requests end, and what has not ended by the drain timeout is cut. nil after that.
func (a *API) Serve(ctx context.Context, l net.Listener) error {
	t := a.o.Timeouts
	c := newConnections(l, a.o.Limits.Connections, 2*t.PingInterval, a.trusted)
	s := &http.Server{
		Handler:           a,
		ConnState:         c.watch,
		ReadHeaderTimeout: t.HeaderTimeout,
		ReadTimeout:       t.HeaderTimeout + t.BodyTimeout,
		WriteTimeout:      t.HeaderTimeout + t.BodyTimeout + t.OperationTimeout + t.WriteTimeout,
		IdleTimeout:       t.IdleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          log.New(debugLines{a.o.Log}, "", 0),
	}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(c) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	a.o.Log.Info("draining: running requests end, subscriptions reconnect elsewhere")
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), t.DrainTimeout)
	defer cancel()
	drained := make(chan struct{})
	go func() { a.Drain(limit); close(drained) }()
	err := s.Shutdown(limit)
	<-drained
	if errors.Is(err, context.DeadlineExceeded) {
		a.o.Log.Warn("the drain timeout is over: what has not ended is cut")
		err = s.Close()
	}
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// debugLines takes what net/http says of clients that misbehave: nothing anybody has to do.
type debugLines struct{ log *slog.Logger }

func (d debugLines) Write(line []byte) (int, error) {
	d.log.Debug("http", "line", string(line))
	return len(line), nil
}
