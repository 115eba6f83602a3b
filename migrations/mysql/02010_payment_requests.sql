-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS payment_requests (
  account_id BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  number VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  total BIGINT NOT NULL,
  file_id BINARY(16) NOT NULL,
  valid_until DATETIME(6) NOT NULL,
  created_by VARCHAR(255) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id, id),
  UNIQUE (number)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS payment_requests;
