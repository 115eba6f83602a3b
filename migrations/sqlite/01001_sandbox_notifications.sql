-- +goose Up
CREATE TABLE sandbox_notifications (
  id BLOB NOT NULL,
  channel TEXT NOT NULL,
  notify_id TEXT NOT NULL,
  url TEXT NOT NULL,
  payload TEXT NOT NULL,
  forged INTEGER NOT NULL DEFAULT 0,
  attempts INTEGER NOT NULL DEFAULT 0,
  last_answer TEXT NOT NULL DEFAULT '',
  next_at DATETIME NULL,
  delivered_at DATETIME NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (id)
);
CREATE INDEX sandbox_notifications_next ON sandbox_notifications (next_at);

-- +goose Down
DROP TABLE sandbox_notifications;
