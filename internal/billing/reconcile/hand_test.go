package reconcile_test

import (
	"context"
	"errors"
	"slices"
	"sync"

	"paydesk/internal/channel"
	"paydesk/models"
)

// line is the sandbox's real adapter, with a hand in between that edits statements and loses answers.
type line struct {
	channel.Adapter
	mu     sync.Mutex
	edits  map[channel.Day]func([]channel.Line) []channel.Line
	absent map[channel.Day]bool // there is no statement yet
	broken map[channel.Day]bool // the statement cannot be read
	down   error                // of statements and queries
	review map[string]bool      // payments that the provider looks into, by number: asked, it says so
	mute   bool                 // queries of payments are not answered
	deaf   bool                 // answers to refunds, and to taking what a payer agreed to, are lost
	asked  int                  // statements
	hold   chan struct{}        // a statement waits for it
}

func (l *line) Statement(ctx context.Context, day channel.Day) (channel.Statement, error) {
	l.mu.Lock()
	edit, absent, broken, down, hold := l.edits[day], l.absent[day], l.broken[day], l.down, l.hold
	l.asked++
	l.mu.Unlock()
	if hold != nil {
		<-hold
	}
	if absent {
		return channel.Statement{}, channel.ErrNoStatement
	}
	if broken {
		return channel.Statement{}, channel.ErrUnknown
	}
	if down != nil {
		return channel.Statement{}, down
	}
	st, err := l.Adapter.Statement(ctx, day)
	if edit != nil && errors.Is(err, channel.ErrNoStatement) { // a day without trades has a file now
		st, err = channel.Statement{Day: day}, nil
	}
	if err == nil && edit != nil {
		st.Lines = edit(slices.Clone(st.Lines))
		st.Hash = ""
	}
	return st, err
}

func (l *line) Query(ctx context.Context, p channel.Ref) (channel.Event, error) {
	l.mu.Lock()
	down, review := l.down, l.review[p.Number]
	if l.mute {
		down = channel.ErrUnavailable
	}
	l.mu.Unlock()
	if down != nil {
		return channel.Event{}, down
	}
	ev, err := l.Adapter.Query(ctx, p)
	if review && err == nil {
		ev.State = channel.StateInReview
	}
	return ev, err
}

func (l *line) Refund(ctx context.Context, r channel.RefundRequest) (channel.Event, error) {
	ev, err := l.Adapter.Refund(ctx, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf {
		return channel.Event{}, channel.ErrUnknown
	}
	return ev, err
}

func (l *line) Complete(ctx context.Context, p channel.Ref) (channel.Event, error) {
	ev, err := l.Adapter.Complete(ctx, p)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.deaf {
		return channel.Event{}, channel.ErrUnknown
	}
	return ev, err
}

func (l *line) Inspect(ctx context.Context, token string) (channel.Card, error) {
	return l.Adapter.(channel.CardReader).Inspect(ctx, token)
}

// with changes the hand in between.
func (l *line) with(fn func(l *line)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fn(l)
}

func (l *line) edit(day channel.Day, fn func([]channel.Line) []channel.Line) {
	l.with(func(l *line) {
		if before := l.edits[day]; before != nil {
			l.edits[day] = func(lines []channel.Line) []channel.Line { return fn(before(lines)) }
			return
		}
		l.edits[day] = fn
	})
}

// ofPayment, ofRefund pick lines.
func ofPayment(p models.Payment) func(channel.Line) bool {
	return func(l channel.Line) bool { return l.Number == p.Number && l.RefundNumber == "" }
}

func ofRefund(r models.Refund) func(channel.Line) bool {
	return func(l channel.Line) bool { return l.RefundNumber == r.Number }
}

// drop, alter, twice edit the lines that are picked.
func drop(which func(channel.Line) bool) func([]channel.Line) []channel.Line {
	return func(lines []channel.Line) []channel.Line { return slices.DeleteFunc(lines, which) }
}

func alter(which func(channel.Line) bool, how func(*channel.Line)) func([]channel.Line) []channel.Line {
	return func(lines []channel.Line) []channel.Line {
		for i := range lines {
			if which(lines[i]) {
				how(&lines[i])
			}
		}
		return lines
	}
}

func twice(which func(channel.Line) bool) func([]channel.Line) []channel.Line {
	return func(lines []channel.Line) []channel.Line {
		for _, l := range lines {
			if which(l) {
				return append(lines, l)
			}
		}
		return lines
	}
}

func add(l channel.Line) func([]channel.Line) []channel.Line {
	return func(lines []channel.Line) []channel.Line { return append(lines, l) }
}

// pending lets the provider have written a line while it was on its way.
func pending(which func(channel.Line) bool) func([]channel.Line) []channel.Line {
	return alter(which, func(l *channel.Line) { l.State = channel.StatePending })
}

// held lets the provider have written that a refund did not reach the payer, and waits for somebody.
func held(which func(channel.Line) bool) func([]channel.Line) []channel.Line {
	return alter(which, func(l *channel.Line) { l.State = channel.StateHeld })
}

// shiftLine lets the provider have a movement on another day.
func (l *line) shiftLine(from, to channel.Day, which func(channel.Line) bool) {
	var moved []channel.Line
	l.edit(from, func(lines []channel.Line) []channel.Line {
		if i := slices.IndexFunc(lines, which); i >= 0 {
			moved = []channel.Line{lines[i]}
			lines = slices.Delete(lines, i, i+1)
		}
		return lines
	})
	l.edit(to, func(lines []channel.Line) []channel.Line { return append(lines, moved...) })
}

// repeat lets the provider have a movement on another day as well.
func (l *line) repeat(from, to channel.Day, which func(channel.Line) bool) {
	var seen []channel.Line
	l.edit(from, func(lines []channel.Line) []channel.Line {
		if i := slices.IndexFunc(lines, which); i >= 0 {
			seen = []channel.Line{lines[i]}
		}
		return lines
	})
	l.edit(to, func(lines []channel.Line) []channel.Line { return append(lines, seen...) })
}
