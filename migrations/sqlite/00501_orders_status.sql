-- +goose Up
-- The same for one status, and counts by status without touching the rows.
CREATE INDEX orders_status ON orders (account_id, status, created_at, id);

-- +goose Down
DROP INDEX orders_status;
