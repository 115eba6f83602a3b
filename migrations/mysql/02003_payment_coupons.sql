-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS payment_coupons (
  account_id BINARY(16) NOT NULL,
  payment_id BINARY(16) NOT NULL,
  coupon_id BINARY(16) NOT NULL,
  order_id BINARY(16) NOT NULL,
  amount BIGINT NOT NULL,
  returned BIGINT NOT NULL DEFAULT 0,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id, payment_id, coupon_id, order_id),
  CHECK (amount > 0),
  CHECK (returned >= 0),
  CHECK (returned <= amount),
  KEY payment_coupons_coupon (account_id, coupon_id),
  KEY payment_coupons_order (account_id, order_id)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS payment_coupons;
