-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS sandbox_behaviour (
  channel VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  notify_mode VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  call_mode VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  updated_at DATETIME(6) NOT NULL,
  PRIMARY KEY (channel)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS sandbox_behaviour;
