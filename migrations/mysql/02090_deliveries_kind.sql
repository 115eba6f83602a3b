-- +goose NO TRANSACTION
-- +goose Up
-- Each kind of message has its own queue, with those that have a deadline before the others.
ALTER TABLE deliveries
  ADD COLUMN kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  ADD COLUMN urgent BOOLEAN NOT NULL DEFAULT FALSE,
  ADD KEY deliveries_queue (kind, urgent, due_at),
  DROP KEY deliveries_due;

-- +goose Down
ALTER TABLE deliveries DROP KEY deliveries_queue, ADD KEY deliveries_due (due_at), DROP COLUMN kind, DROP COLUMN urgent;
