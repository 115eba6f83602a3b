-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS differences (
  id BINARY(16) NOT NULL,
  channel VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  day CHAR(10) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  line_key VARCHAR(190) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  class VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  kind VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  number VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  refund_number VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  reference VARCHAR(100) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  account_id BINARY(16) NULL,
  payment_id BINARY(16) NULL,
  currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  ours BIGINT NULL,
  theirs BIGINT NULL,
  ours_state VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  theirs_state VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  evidence TEXT NOT NULL,
  repaired BIGINT NOT NULL DEFAULT 0,
  found_at DATETIME(6) NOT NULL,
  resolved_at DATETIME(6) NULL,
  resolved_by VARCHAR(190) NOT NULL DEFAULT '',
  resolution VARCHAR(500) NOT NULL DEFAULT '',
  PRIMARY KEY (id),
  UNIQUE (channel, day, line_key),
  KEY differences_day (channel, day)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS differences;
