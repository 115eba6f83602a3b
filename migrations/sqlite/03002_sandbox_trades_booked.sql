-- +goose Up
ALTER TABLE sandbox_trades ADD COLUMN booked_at DATETIME NULL;

-- +goose Down
ALTER TABLE sandbox_trades DROP COLUMN booked_at;
