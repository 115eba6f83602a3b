-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS coupons (
  account_id BINARY(16) NOT NULL,
  id BINARY(16) NOT NULL,
  grant_id BINARY(16) NOT NULL,
  name VARCHAR(200) NOT NULL,
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  currency VARCHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  face BIGINT NOT NULL,
  remaining BIGINT NOT NULL,
  minimum_spend BIGINT NOT NULL,
  product_types TEXT NOT NULL,
  not_with TEXT NOT NULL,
  valid_from DATETIME(6) NOT NULL,
  valid_to DATETIME(6) NOT NULL,
  payment_id BINARY(16) NULL,
  created_at DATETIME(6) NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id, id),
  CHECK (remaining >= 0),
  CHECK (remaining <= face),
  KEY coupons_id (id),
  KEY coupons_created (account_id, created_at, id),
  KEY coupons_valid (account_id, valid_to),
  KEY coupons_grant (account_id, grant_id),
  KEY coupons_payment (account_id, payment_id),
  KEY coupons_locked (payment_id)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS coupons;
