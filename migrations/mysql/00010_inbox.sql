-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS inbox (
  id BINARY(16) NOT NULL,
  channel VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  dedup_key VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  headers TEXT NOT NULL,
  body MEDIUMBLOB NOT NULL,
  event TEXT NOT NULL,
  verdict VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  number VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  attempts BIGINT NOT NULL DEFAULT 0,
  next_at DATETIME(6) NULL,
  received_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (channel, dedup_key),
  KEY inbox_next (next_at),
  KEY inbox_number (number)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS inbox;
