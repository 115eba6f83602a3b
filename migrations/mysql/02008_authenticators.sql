-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS authenticators (
  user_id VARCHAR(255) NOT NULL,
  secret VARBINARY(255) NULL,
  pending VARBINARY(255) NULL,
  confirmed_at DATETIME(6) NULL,
  last_step BIGINT NOT NULL DEFAULT 0,
  tries BIGINT NOT NULL DEFAULT 0,
  tries_since DATETIME(6) NOT NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (user_id)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS authenticators;
