-- +goose Up
ALTER TABLE sandbox_trades ADD COLUMN detail TEXT NULL;

-- +goose Down
ALTER TABLE sandbox_trades DROP COLUMN detail;
