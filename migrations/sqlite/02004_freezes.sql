-- +goose Up
CREATE TABLE freezes (
  account_id BLOB NOT NULL,
  reference TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  code_money INTEGER NOT NULL,
  payment_id BLOB NULL,
  order_id BLOB NULL,
  created_at DATETIME NOT NULL,
  ended_at DATETIME NULL,
  PRIMARY KEY (account_id, reference)
);
CREATE INDEX freezes_open ON freezes (account_id, ended_at);

-- +goose Down
DROP TABLE freezes;
