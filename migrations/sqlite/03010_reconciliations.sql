-- +goose Up
CREATE TABLE reconciliations (
  id BLOB NOT NULL,
  channel TEXT NOT NULL,
  day TEXT NOT NULL,
  status TEXT NOT NULL,
  started_at DATETIME NOT NULL,
  completed_at DATETIME NULL,
  runs INTEGER NOT NULL DEFAULT 0,
  file_hash TEXT NOT NULL DEFAULT '',
  theirs_count INTEGER NOT NULL DEFAULT 0,
  ours_count INTEGER NOT NULL DEFAULT 0,
  note TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (id),
  UNIQUE (channel, day)
);

-- +goose Down
DROP TABLE reconciliations;
