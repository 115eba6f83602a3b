-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE sandbox_refunds ADD COLUMN booked_at DATETIME(6) NULL;

-- +goose Down
ALTER TABLE sandbox_refunds DROP COLUMN booked_at;
