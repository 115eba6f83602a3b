-- +goose Up
ALTER TABLE payment_orders ADD COLUMN refunded INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE payment_orders DROP COLUMN refunded;
