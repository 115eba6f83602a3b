-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS orders (
  account_id BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  number VARCHAR(64) NOT NULL,
  status VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  type VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  product_type VARCHAR(64) NOT NULL,
  charging_mode VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  list_amount BIGINT NOT NULL,
  amount_due BIGINT NOT NULL,
  paid BIGINT NOT NULL DEFAULT 0,
  bundle_id BINARY(16) NULL,
  placement_id BINARY(16) NOT NULL,
  outside_contract BOOLEAN NOT NULL,
  active_payment_id BINARY(16) NULL,
  items TEXT NOT NULL,
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id, id),
  UNIQUE (number),
  KEY orders_id (id),
  KEY orders_expiry (status, expires_at),
  KEY orders_bundle (account_id, bundle_id),
  KEY orders_held (account_id, active_payment_id),
  KEY orders_placement (account_id, placement_id)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS orders;
