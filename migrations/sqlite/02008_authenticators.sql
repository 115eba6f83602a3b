-- +goose Up
CREATE TABLE authenticators (
  user_id TEXT NOT NULL,
  secret BLOB NULL,
  pending BLOB NULL,
  confirmed_at DATETIME NULL,
  last_step INTEGER NOT NULL DEFAULT 0,
  tries INTEGER NOT NULL DEFAULT 0,
  tries_since DATETIME NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (user_id)
);

-- +goose Down
DROP TABLE authenticators;
