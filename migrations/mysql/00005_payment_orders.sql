-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS payment_orders (
  account_id BINARY(16) NOT NULL,
  payment_id BINARY(16) NOT NULL,
  order_id BINARY(16) NOT NULL,
  amount BIGINT NOT NULL,
  discount BIGINT NOT NULL DEFAULT 0,
  coupon BIGINT NOT NULL DEFAULT 0,
  due BIGINT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id, payment_id, order_id),
  KEY payment_orders_order (account_id, order_id)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS payment_orders;
