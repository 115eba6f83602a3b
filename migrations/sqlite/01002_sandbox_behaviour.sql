-- +goose Up
CREATE TABLE sandbox_behaviour (
  channel TEXT NOT NULL,
  notify_mode TEXT NOT NULL,
  call_mode TEXT NOT NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (channel)
);

-- +goose Down
DROP TABLE sandbox_behaviour;
