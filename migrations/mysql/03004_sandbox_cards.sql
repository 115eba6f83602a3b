-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS sandbox_cards (
  token VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  behaviour VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  brand VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  funding VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  country VARCHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  last4 VARCHAR(4) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  fingerprint VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  expiry_month BIGINT NOT NULL,
  expiry_year BIGINT NOT NULL,
  holder VARCHAR(200) NOT NULL,
  used_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (token)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS sandbox_cards;
