-- +goose NO TRANSACTION
-- +goose Up
-- The keyset of the list by its end.
CREATE INDEX orders_expires ON orders (account_id, expires_at, id);

-- +goose Down
DROP INDEX orders_expires ON orders;
