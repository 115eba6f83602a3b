-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS accounts (
  id BINARY(16) NOT NULL,
  number VARCHAR(64) NOT NULL,
  name VARCHAR(200) NOT NULL,
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  region VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  country VARCHAR(2) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  signing_entity VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  identity VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  real_name VARCHAR(200) NOT NULL,
  email VARCHAR(254) NOT NULL,
  phone VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  partner_id BINARY(16) NULL,
  automatic_settlement BOOLEAN NOT NULL,
  operation_protection BOOLEAN NOT NULL,
  dedicated_account_number VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  running_resources BIGINT NOT NULL DEFAULT 0,
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (number),
  KEY accounts_partner (partner_id),
  KEY accounts_identity (identity, id)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS accounts;
