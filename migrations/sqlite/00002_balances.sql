-- +goose Up
CREATE TABLE balances (
  account_id BLOB NOT NULL,
  currency TEXT NOT NULL,
  cash INTEGER NOT NULL DEFAULT 0,
  code_money INTEGER NOT NULL DEFAULT 0,
  frozen INTEGER NOT NULL DEFAULT 0,
  credit_limit INTEGER NOT NULL DEFAULT 0,
  credit_used INTEGER NOT NULL DEFAULT 0,
  version INTEGER NOT NULL DEFAULT 0,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (account_id),
  CHECK (code_money >= 0),
  CHECK (frozen >= 0),
  CHECK (credit_used >= 0)
);

-- +goose Down
DROP TABLE balances;
