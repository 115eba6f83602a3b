-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS discounts (
  account_id BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  name VARCHAR(200) NOT NULL,
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  percent BIGINT NOT NULL,
  product_types TEXT NOT NULL,
  valid_from DATETIME(6) NOT NULL,
  valid_to DATETIME(6) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id, id),
  KEY discounts_id (id),
  KEY discounts_valid (account_id, valid_to)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS discounts;
