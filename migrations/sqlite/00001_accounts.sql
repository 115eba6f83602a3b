-- +goose Up
CREATE TABLE accounts (
  id BLOB NOT NULL,
  number TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  region TEXT NOT NULL,
  country TEXT NOT NULL,
  signing_entity TEXT NOT NULL,
  currency TEXT NOT NULL,
  identity TEXT NOT NULL,
  real_name TEXT NOT NULL,
  email TEXT NOT NULL,
  phone TEXT NOT NULL,
  partner_id BLOB NULL,
  automatic_settlement BOOLEAN NOT NULL,
  operation_protection BOOLEAN NOT NULL,
  dedicated_account_number TEXT NOT NULL,
  running_resources INTEGER NOT NULL DEFAULT 0,
  created_at DATETIME NOT NULL,
  updated_at DATETIME NOT NULL,
  PRIMARY KEY (id),
  UNIQUE (number)
);
CREATE INDEX accounts_partner ON accounts (partner_id);
CREATE INDEX accounts_identity ON accounts (identity, id);

-- +goose Down
DROP TABLE accounts;
