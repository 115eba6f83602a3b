-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS sandbox_notifications (
  id BINARY(16) NOT NULL,
  channel VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  notify_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  url VARCHAR(2048) NOT NULL,
  payload TEXT NOT NULL,
  forged BIGINT NOT NULL DEFAULT 0,
  attempts BIGINT NOT NULL DEFAULT 0,
  last_answer VARCHAR(255) NOT NULL DEFAULT '',
  next_at DATETIME(6) NULL,
  delivered_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (id),
  KEY sandbox_notifications_next (next_at)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS sandbox_notifications;
