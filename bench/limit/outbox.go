package main

import (
	"context"
	"log"
	"strings"

	"paydesk/models"
)

// told is an outbox row that was committed.
type told struct {
	id     models.ID
	topics string
}

// tellAll takes committed rows out of the outbox again, up to 64 at a time, as whoever wakes the watchers does. Nobody
// watches here, so nothing is published.
func (s *server) tellAll(ctx context.Context) {
	for {
		var batch []any
		select {
		case <-ctx.Done():
			return
		case m := <-s.told:
			batch = append(batch, m.id[:])
		}
		for more := true; more && len(batch) < 64; {
			select {
			case m := <-s.told:
				batch = append(batch, m.id[:])
			default:
				more = false
			}
		}
		// The list is padded to a few lengths, so that few statements are prepared.
		n := 1
		for n < len(batch) {
			n *= 4
		}
		for len(batch) < n {
			batch = append(batch, batch[0])
		}
		if _, err := s.db.ExecContext(ctx, "DELETE FROM outbox WHERE id IN (?"+strings.Repeat(",?", n-1)+")", batch...); err != nil && ctx.Err() == nil {
			log.Print(err)
		}
	}
}
