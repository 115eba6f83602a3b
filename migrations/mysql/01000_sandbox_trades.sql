-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS sandbox_trades (
  channel VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  number VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  token VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  reference VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  amount BIGINT NOT NULL,
  currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject VARCHAR(512) NOT NULL,
  status VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  notify_url VARCHAR(2048) NOT NULL,
  expires_at DATETIME(6) NULL,
  scanned_at DATETIME(6) NULL,
  paid_at DATETIME(6) NULL,
  paid_late BIGINT NOT NULL DEFAULT 0,
  closed_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (channel, number),
  UNIQUE (token)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS sandbox_trades;
