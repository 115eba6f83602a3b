-- +goose Up
CREATE TABLE suspense_items (
  id BLOB NOT NULL,
  account_id BLOB NULL,
  payment_id BLOB NULL,
  channel TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  reason TEXT NOT NULL,
  reference TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (reference)
);
CREATE INDEX suspense_created ON suspense_items (created_at, id);

-- +goose Down
DROP TABLE suspense_items;
