-- +goose Up
-- An operator reads notifications newest first, and the oldest are deleted.
CREATE INDEX inbox_received ON inbox (received_at, id);

-- +goose Down
DROP INDEX inbox_received;
