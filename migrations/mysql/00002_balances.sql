-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS balances (
  account_id BINARY(16) NOT NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  cash BIGINT NOT NULL DEFAULT 0,
  code_money BIGINT NOT NULL DEFAULT 0,
  frozen BIGINT NOT NULL DEFAULT 0,
  credit_limit BIGINT NOT NULL DEFAULT 0,
  credit_used BIGINT NOT NULL DEFAULT 0,
  version BIGINT NOT NULL DEFAULT 0,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id),
  CHECK (code_money >= 0),
  CHECK (frozen >= 0),
  CHECK (credit_used >= 0)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS balances;
