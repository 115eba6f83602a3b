-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE sandbox_trades ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE sandbox_trades DROP COLUMN refunded;
