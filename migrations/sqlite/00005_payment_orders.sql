-- +goose Up
CREATE TABLE payment_orders (
  account_id BLOB NOT NULL,
  payment_id BLOB NOT NULL,
  order_id BLOB NOT NULL,
  amount INTEGER NOT NULL,
  discount INTEGER NOT NULL DEFAULT 0,
  coupon INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, payment_id, order_id)
);
CREATE INDEX payment_orders_order ON payment_orders (account_id, order_id);

-- +goose Down
DROP TABLE payment_orders;
