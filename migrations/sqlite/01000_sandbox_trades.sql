-- +goose Up
CREATE TABLE sandbox_trades (
  channel TEXT NOT NULL,
  number TEXT NOT NULL,
  token TEXT NOT NULL,
  reference TEXT NOT NULL,
  amount INTEGER NOT NULL,
  currency TEXT NOT NULL,
  subject TEXT NOT NULL,
  status TEXT NOT NULL,
  notify_url TEXT NOT NULL,
  expires_at DATETIME NULL,
  scanned_at DATETIME NULL,
  paid_at DATETIME NULL,
  paid_late INTEGER NOT NULL DEFAULT 0,
  closed_at DATETIME NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (channel, number),
  UNIQUE (token)
);

-- +goose Down
DROP TABLE sandbox_trades;
