-- +goose Up
CREATE TABLE verification_codes (
  account_id BLOB NOT NULL,
  id BLOB NOT NULL,
  user_id TEXT NOT NULL,
  scene TEXT NOT NULL,
  kind TEXT NOT NULL,
  hash BLOB NOT NULL,
  terms BLOB NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  created_at DATETIME NOT NULL,
  expires_at DATETIME NOT NULL,
  used_at DATETIME NULL,
  PRIMARY KEY (account_id, id)
);
CREATE INDEX verification_codes_newest ON verification_codes (account_id, user_id, scene, created_at);

-- +goose Down
DROP TABLE verification_codes;
