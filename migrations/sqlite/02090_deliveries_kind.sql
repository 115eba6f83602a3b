-- +goose Up
-- Each kind of message has its own queue, with those that have a deadline before the others.
ALTER TABLE deliveries ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE deliveries ADD COLUMN urgent BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_queue ON deliveries (kind, urgent, due_at);

-- +goose Down
DROP INDEX deliveries_queue;
CREATE INDEX deliveries_due ON deliveries (due_at);
ALTER TABLE deliveries DROP COLUMN urgent;
ALTER TABLE deliveries DROP COLUMN kind;
