package notify

import "context"

// DeliverOne delivers one due SMS in the caller's goroutine, where a test can catch its death.
func (d *Desk) DeliverOne(ctx context.Context) error {
	due, err := d.due(ctx, SMS, 1)
	if err != nil || len(due) == 0 {
		return err
	}
	return d.deliver(ctx, due[0])
}
