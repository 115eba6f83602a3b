-- +goose Up
CREATE TABLE sandbox_refunds (
  channel TEXT NOT NULL,
  refund_number TEXT NOT NULL,
  number TEXT NOT NULL,
  reference TEXT NOT NULL,
  amount INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  reason TEXT NOT NULL,
  notify_url TEXT NOT NULL,
  ready_at DATETIME NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (channel, refund_number, number)
);

-- +goose Down
DROP TABLE sandbox_refunds;
