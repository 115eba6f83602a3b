-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS payments (
  account_id BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  purpose VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  balance_amount BIGINT NOT NULL DEFAULT 0,
  online_amount BIGINT NOT NULL DEFAULT 0,
  partner_amount BIGINT NOT NULL DEFAULT 0,
  channel VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  channel_reference VARCHAR(128) NOT NULL,
  bank_code VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  return_url VARCHAR(2048) NOT NULL,
  action_kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  action_content TEXT NULL,
  action_method VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  action_fields TEXT NULL,
  action_expires_at DATETIME(6) NULL,
  failure_code VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  late_amount BIGINT NOT NULL DEFAULT 0,
  refunded BIGINT NOT NULL DEFAULT 0,
  created_by VARCHAR(255) NOT NULL,
  locale VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NULL,
  completed_at DATETIME(6) NULL,
  version BIGINT NOT NULL,
  sweep_at DATETIME(6) NULL,
  sweep_count BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, id),
  UNIQUE (number),
  KEY payments_id (id),
  KEY payments_created (account_id, created_at, id),
  KEY payments_sweep (sweep_at)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS payments;
