-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS refunds (
  account_id BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payment_id BINARY(16) NOT NULL,
  order_id BINARY(16) NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  balance_amount BIGINT NOT NULL DEFAULT 0,
  online_amount BIGINT NOT NULL DEFAULT 0,
  partner_amount BIGINT NOT NULL DEFAULT 0,
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reason VARCHAR(500) NOT NULL,
  channel VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  channel_reference VARCHAR(128) NOT NULL,
  created_by VARCHAR(255) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  completed_at DATETIME(6) NULL,
  sweep_at DATETIME(6) NULL,
  sweep_count BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, id),
  UNIQUE (number),
  KEY refunds_id (id),
  KEY refunds_payment (account_id, payment_id, created_at),
  KEY refunds_sweep (sweep_at)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS refunds;
