-- +goose Up
CREATE TABLE idempotency_keys (
  scope TEXT NOT NULL,
  mutation TEXT NOT NULL,
  idem_key TEXT NOT NULL,
  input_hash BLOB NOT NULL,
  kind TEXT NOT NULL,
  ref BLOB NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (scope, mutation, idem_key)
);
CREATE INDEX idempotency_keys_created ON idempotency_keys (created_at);

-- +goose Down
DROP TABLE idempotency_keys;
