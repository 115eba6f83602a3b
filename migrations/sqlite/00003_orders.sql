-- +goose Up
CREATE TABLE orders (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  number TEXT NOT NULL,
  status TEXT NOT NULL,
  type TEXT NOT NULL,
  product_type TEXT NOT NULL,
  charging_mode TEXT NOT NULL,
  currency TEXT NOT NULL,
  list_amount INTEGER NOT NULL,
  amount_due INTEGER NOT NULL,
  paid INTEGER NOT NULL DEFAULT 0,
  bundle_id BLOB NULL,
  placement_id BLOB NOT NULL,
  outside_contract BOOLEAN NOT NULL,
  active_payment_id BLOB NULL,
  items TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, id),
  UNIQUE (number)
);
CREATE INDEX orders_id ON orders (id);
CREATE INDEX orders_expiry ON orders (status, expires_at);
CREATE INDEX orders_bundle ON orders (account_id, bundle_id);
CREATE INDEX orders_held ON orders (account_id, active_payment_id);
CREATE INDEX orders_placement ON orders (account_id, placement_id);

-- +goose Down
DROP TABLE orders;
