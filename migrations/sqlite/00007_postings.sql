-- +goose Up
CREATE TABLE postings (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  entry_id BLOB NOT NULL,
  reference TEXT NOT NULL,
  leg INTEGER NOT NULL,
  book TEXT NOT NULL,
  kind TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  seq INTEGER NULL,
  cash_after INTEGER NOT NULL DEFAULT 0,
  code_money_after INTEGER NOT NULL DEFAULT 0,
  frozen_after INTEGER NOT NULL DEFAULT 0,
  credit_used_after INTEGER NOT NULL DEFAULT 0,
  payment_id BLOB NULL,
  order_id BLOB NULL,
  posted_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, id),
  UNIQUE (account_id, reference, leg),
  UNIQUE (account_id, seq)
);

-- +goose Down
DROP TABLE postings;
