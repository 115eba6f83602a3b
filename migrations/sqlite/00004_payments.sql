-- +goose Up
CREATE TABLE payments (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  number TEXT NOT NULL,
  purpose TEXT NOT NULL,
  status TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  balance_amount INTEGER NOT NULL DEFAULT 0,
  online_amount INTEGER NOT NULL DEFAULT 0,
  partner_amount INTEGER NOT NULL DEFAULT 0,
  channel TEXT NOT NULL,
  channel_reference TEXT NOT NULL,
  bank_code TEXT NOT NULL,
  return_url TEXT NOT NULL,
  action_kind TEXT NOT NULL,
  action_content TEXT NULL,
  action_method TEXT NOT NULL,
  action_fields TEXT NULL,
  action_expires_at DATETIME NULL,
  failure_code TEXT NOT NULL,
  late_amount INTEGER NOT NULL DEFAULT 0,
  refunded INTEGER NOT NULL DEFAULT 0,
  created_by TEXT NOT NULL,
  locale TEXT NOT NULL,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NULL,
  completed_at DATETIME NULL,
  version INTEGER NOT NULL,
  sweep_at DATETIME NULL,
  sweep_count INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account_id, id),
  UNIQUE (number)
);
CREATE INDEX payments_id ON payments (id);
CREATE INDEX payments_created ON payments (account_id, created_at, id);
CREATE INDEX payments_sweep ON payments (sweep_at);

-- +goose Down
DROP TABLE payments;
