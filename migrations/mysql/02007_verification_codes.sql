-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS verification_codes (
  account_id BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  user_id VARCHAR(255) NOT NULL,
  scene VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind VARCHAR(8) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  hash BINARY(32) NOT NULL,
  terms BINARY(32) NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  used_at DATETIME(6) NULL,
  PRIMARY KEY (account_id, id),
  KEY verification_codes_newest (account_id, user_id, scene, created_at)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS verification_codes;
