-- +goose Up
CREATE TABLE files (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  name TEXT NOT NULL,
  content_type TEXT NOT NULL,
  size INTEGER NOT NULL,
  hash BLOB NOT NULL,
  expires_at DATETIME NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, id)
);
CREATE INDEX files_expires ON files (expires_at);

-- +goose Down
DROP TABLE files;
