-- +goose Up
CREATE TABLE outbox (
  id BLOB NOT NULL,
  account_id BLOB NULL,
  topics TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX outbox_created ON outbox (created_at);

-- +goose Down
DROP TABLE outbox;
