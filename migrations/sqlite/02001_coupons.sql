-- +goose Up
CREATE TABLE coupons (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  grant_id BLOB NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  currency TEXT NOT NULL,
  face INTEGER NOT NULL,
  remaining INTEGER NOT NULL,
  minimum_spend INTEGER NOT NULL,
  product_types TEXT NOT NULL,
  not_with TEXT NOT NULL,
  valid_from DATETIME NOT NULL,
  valid_to DATETIME NOT NULL,
  payment_id BLOB NULL,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, id),
  CHECK (remaining >= 0),
  CHECK (remaining <= face)
);
CREATE INDEX coupons_id ON coupons (id);
CREATE INDEX coupons_created ON coupons (account_id, created_at, id);
CREATE INDEX coupons_valid ON coupons (account_id, valid_to);
CREATE INDEX coupons_grant ON coupons (account_id, grant_id);
CREATE INDEX coupons_payment ON coupons (account_id, payment_id);
CREATE INDEX coupons_locked ON coupons (payment_id) WHERE payment_id IS NOT NULL;

-- +goose Down
DROP TABLE coupons;
