-- +goose Up
-- An account's orders, newest first: the keyset of the list.
CREATE INDEX orders_created ON orders (account_id, created_at, id);

-- +goose Down
DROP INDEX orders_created;
