-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE payments ADD COLUMN decline_reason VARCHAR(500) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE payments DROP COLUMN decline_reason;
