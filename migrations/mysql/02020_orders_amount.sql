-- +goose NO TRANSACTION
-- +goose Up
-- The keyset of the list by amount.
CREATE INDEX orders_amount ON orders (account_id, amount_due, id);

-- +goose Down
DROP INDEX orders_amount ON orders;
