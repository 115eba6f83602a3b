-- +goose Up
CREATE TABLE statement_lines (
  channel TEXT NOT NULL,
  day TEXT NOT NULL,
  line_key TEXT NOT NULL,
  number TEXT NOT NULL,
  refund_number TEXT NOT NULL,
  reference TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  fee INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL,
  at DATETIME NOT NULL,
  raw TEXT NOT NULL,
  imported_at DATETIME NOT NULL,
  PRIMARY KEY (channel, day, line_key)
);
CREATE INDEX statement_lines_number ON statement_lines (channel, number);

-- +goose Down
DROP TABLE statement_lines;
