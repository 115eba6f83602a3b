-- +goose Up
CREATE TABLE messages (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  kind TEXT NOT NULL,
  recipient TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, id)
);

-- +goose Down
DROP TABLE messages;
