-- +goose Up
CREATE TABLE discounts (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  percent INTEGER NOT NULL,
  product_types TEXT NOT NULL,
  valid_from DATETIME NOT NULL,
  valid_to DATETIME NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, id)
);
CREATE INDEX discounts_id ON discounts (id);
CREATE INDEX discounts_valid ON discounts (account_id, valid_to);

-- +goose Down
DROP TABLE discounts;
