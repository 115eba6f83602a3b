-- +goose NO TRANSACTION
-- +goose Up
-- A file's content in pieces of at most 1 MiB: a row stays far below what servers take (TiDB: 6 MB, packets of MySQL).
CREATE TABLE IF NOT EXISTS file_parts (
  account_id BINARY(16) NOT NULL,
  file_id BINARY(16) NOT NULL,
  part BIGINT NOT NULL,
  content MEDIUMBLOB NOT NULL,
  PRIMARY KEY (account_id, file_id, part)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS file_parts;
