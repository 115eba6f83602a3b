-- +goose Up
-- A file's content in pieces of at most 1 MiB, as on MySQL.
CREATE TABLE file_parts (
  account_id BLOB NOT NULL,
  file_id BLOB NOT NULL,
  part INTEGER NOT NULL,
  content BLOB NOT NULL,
  PRIMARY KEY (account_id, file_id, part)
);

-- +goose Down
DROP TABLE file_parts;
