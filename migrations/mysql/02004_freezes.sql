-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS freezes (
  account_id BINARY(16) NOT NULL,
  reference VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  code_money BIGINT NOT NULL,
  payment_id BINARY(16) NULL,
  order_id BINARY(16) NULL,
  created_at DATETIME(6) NOT NULL,
  ended_at DATETIME(6) NULL,
  PRIMARY KEY (account_id, reference),
  KEY freezes_open (account_id, ended_at)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS freezes;
