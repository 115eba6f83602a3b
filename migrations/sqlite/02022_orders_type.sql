-- +goose Up
-- One type, newest first, and its count.
CREATE INDEX orders_type ON orders (account_id, type, created_at, id);

-- +goose Down
DROP INDEX orders_type;
