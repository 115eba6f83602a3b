-- +goose Up
CREATE TABLE differences (
  id BLOB NOT NULL,
  channel TEXT NOT NULL,
  day TEXT NOT NULL,
  line_key TEXT NOT NULL,
  class TEXT NOT NULL,
  kind TEXT NOT NULL,
  number TEXT NOT NULL,
  refund_number TEXT NOT NULL DEFAULT '',
  reference TEXT NOT NULL DEFAULT '',
  account_id BLOB NULL,
  payment_id BLOB NULL,
  currency TEXT NOT NULL,
  ours INTEGER NULL,
  theirs INTEGER NULL,
  ours_state TEXT NOT NULL DEFAULT '',
  theirs_state TEXT NOT NULL DEFAULT '',
  evidence TEXT NOT NULL,
  repaired INTEGER NOT NULL DEFAULT 0,
  found_at DATETIME NOT NULL,
  resolved_at DATETIME NULL,
  resolved_by TEXT NOT NULL DEFAULT '',
  resolution TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (id),
  UNIQUE (channel, day, line_key)
);
CREATE INDEX differences_day ON differences (channel, day);

-- +goose Down
DROP TABLE differences;
