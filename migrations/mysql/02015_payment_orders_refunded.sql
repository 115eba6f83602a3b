-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE payment_orders ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE payment_orders DROP COLUMN refunded;
