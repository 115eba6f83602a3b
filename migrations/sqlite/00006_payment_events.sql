-- +goose Up
CREATE TABLE payment_events (
  account_id BLOB NOT NULL,
  payment_id BLOB NOT NULL,
  version INTEGER NOT NULL,
  status TEXT NOT NULL,
  note TEXT NOT NULL,
  at DATETIME NOT NULL,
  PRIMARY KEY (account_id, payment_id, version)
);

-- +goose Down
DROP TABLE payment_events;
