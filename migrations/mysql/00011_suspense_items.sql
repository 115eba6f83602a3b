-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS suspense_items (
  id BINARY(16) NOT NULL,
  account_id BINARY(16) NULL,
  payment_id BINARY(16) NULL,
  channel VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  reason VARCHAR(200) NOT NULL,
  reference VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (reference),
  KEY suspense_created (created_at, id)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS suspense_items;
