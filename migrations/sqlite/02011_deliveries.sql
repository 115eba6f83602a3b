-- +goose Up
CREATE TABLE deliveries (
  account_id BLOB NOT NULL,
  message_id BLOB NOT NULL,
  due_at DATETIME NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  useless_at DATETIME NULL,
  delivered_at DATETIME NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, message_id)
);
CREATE INDEX deliveries_due ON deliveries (due_at);

-- +goose Down
DROP TABLE deliveries;
