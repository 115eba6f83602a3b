-- +goose Up
CREATE TABLE payment_requests (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  number TEXT NOT NULL,
  currency TEXT NOT NULL,
  total INTEGER NOT NULL,
  file_id BLOB NOT NULL,
  valid_until DATETIME NOT NULL,
  created_by TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, id),
  UNIQUE (number)
);


-- +goose Down
DROP TABLE payment_requests;
