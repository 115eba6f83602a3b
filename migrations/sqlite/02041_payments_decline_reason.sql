-- +goose Up
ALTER TABLE payments ADD COLUMN decline_reason TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE payments DROP COLUMN decline_reason;
