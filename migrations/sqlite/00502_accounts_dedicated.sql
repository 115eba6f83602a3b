-- +goose Up
-- Whose dedicated account a transfer came in on; two accounts never share one.
CREATE INDEX accounts_dedicated ON accounts (dedicated_account_number);

-- +goose Down
DROP INDEX accounts_dedicated;
