package wechatpay

import (
	"context"
	"time"

	"paydesk/internal/channel"
)

// StatementDay is a calendar day in Beijing.
func (a *Adapter) StatementDay(day channel.Day) (from, to time.Time) { return day.In(channel.Beijing) }

// Statement is not here yet.
func (a *Adapter) Statement(context.Context, channel.Day) (channel.Statement, error) {
	return channel.Statement{}, channel.ErrNoStatement
}
