-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS refund_orders (
  account_id BINARY(16) NOT NULL,
  refund_id BINARY(16) NOT NULL,
  order_id BINARY(16) NOT NULL,
  amount BIGINT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id, refund_id, order_id)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS refund_orders;
