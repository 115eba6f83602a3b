-- +goose Up
CREATE TABLE refunds (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  number TEXT NOT NULL,
  payment_id BLOB NOT NULL,
  order_id BLOB NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  balance_amount INTEGER NOT NULL DEFAULT 0,
  online_amount INTEGER NOT NULL DEFAULT 0,
  partner_amount INTEGER NOT NULL DEFAULT 0,
  status TEXT NOT NULL,
  reason TEXT NOT NULL,
  channel TEXT NOT NULL,
  channel_reference TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  completed_at DATETIME NULL,
  sweep_at DATETIME NULL,
  sweep_count INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, id),
  UNIQUE (number)
);
CREATE INDEX refunds_id ON refunds (id);
CREATE INDEX refunds_payment ON refunds (account_id, payment_id, created_at);
CREATE INDEX refunds_sweep ON refunds (sweep_at);

-- +goose Down
DROP TABLE refunds;
