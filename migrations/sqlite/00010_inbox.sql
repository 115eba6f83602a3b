-- +goose Up
CREATE TABLE inbox (
  id BLOB NOT NULL,
  channel TEXT NOT NULL,
  dedup_key TEXT NOT NULL,
  headers TEXT NOT NULL,
  body BLOB NOT NULL,
  event TEXT NOT NULL,
  verdict TEXT NOT NULL,
  number TEXT NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_at DATETIME NULL,
  received_at DATETIME NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (channel, dedup_key)
);
CREATE INDEX inbox_next ON inbox (next_at);
CREATE INDEX inbox_number ON inbox (number);

-- +goose Down
DROP TABLE inbox;
