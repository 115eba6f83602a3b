-- +goose NO TRANSACTION
-- +goose Up
CREATE TABLE IF NOT EXISTS deliveries (
  account_id BINARY(16) NOT NULL,
  message_id BINARY(16) NOT NULL,
  due_at DATETIME(6) NULL,
  tries BIGINT NOT NULL DEFAULT 0,
  useless_at DATETIME(6) NULL,
  delivered_at DATETIME(6) NULL,
  created_at DATETIME(6) NOT NULL,
  PRIMARY KEY (account_id, message_id),
  KEY deliveries_due (due_at)
) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- +goose Down
DROP TABLE IF EXISTS deliveries;
