-- +goose NO TRANSACTION
-- +goose Up
CREATE INDEX differences_open ON differences (resolved_at, found_at, id);

-- +goose Down
DROP INDEX differences_open ON differences;
