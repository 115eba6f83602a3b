-- +goose Up
CREATE TABLE authenticators (
  user_id TEXT NOT NULL,
  secret BLOB NOT NULL,
  confirmed_at DATETIME NULL,
  last_step INTEGER NOT NULL DEFAULT 0,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (user_id)
);


-- +goose Down
DROP TABLE authenticators;
