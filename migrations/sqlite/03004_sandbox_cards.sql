-- +goose Up
CREATE TABLE sandbox_cards (
  token TEXT NOT NULL,
  behaviour TEXT NOT NULL,
  brand TEXT NOT NULL,
  funding TEXT NOT NULL,
  country TEXT NOT NULL,
  last4 TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  expiry_month INTEGER NOT NULL,
  expiry_year INTEGER NOT NULL,
  holder TEXT NOT NULL,
  used_at DATETIME NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (token)
);

-- +goose Down
DROP TABLE sandbox_cards;
