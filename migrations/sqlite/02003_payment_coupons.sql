-- +goose Up
CREATE TABLE payment_coupons (
  account_id BLOB NOT NULL,
  payment_id BLOB NOT NULL,
  coupon_id BLOB NOT NULL,
  order_id BLOB NOT NULL,
  amount INTEGER NOT NULL,
  returned INTEGER NOT NULL DEFAULT 0,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, payment_id, coupon_id, order_id),
  CHECK (amount > 0),
  CHECK (returned >= 0),
  CHECK (returned <= amount)
);
CREATE INDEX payment_coupons_coupon ON payment_coupons (account_id, coupon_id);
CREATE INDEX payment_coupons_order ON payment_coupons (account_id, order_id);

-- +goose Down
DROP TABLE payment_coupons;
