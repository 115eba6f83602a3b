-- +goose Up
-- The beginning of a number, among an account's own.
CREATE INDEX orders_number ON orders (account_id, number);

-- +goose Down
DROP INDEX orders_number;
