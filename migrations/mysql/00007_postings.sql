-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS postings (
  account_id BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  entry_id BINARY(16) NOT NULL,
  reference VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  leg BIGINT NOT NULL,
  book VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  seq BIGINT NULL,
  cash_after BIGINT NOT NULL DEFAULT 0,
  code_money_after BIGINT NOT NULL DEFAULT 0,
  frozen_after BIGINT NOT NULL DEFAULT 0,
  credit_used_after BIGINT NOT NULL DEFAULT 0,
  payment_id BINARY(16) NULL,
  order_id BINARY(16) NULL,
  posted_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id, id),
  UNIQUE (account_id, reference, leg),
  UNIQUE (account_id, seq)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS postings;
