-- +goose NO TRANSACTION
-- +goose Up
-- One product, newest first, and its count.
CREATE INDEX orders_product ON orders (account_id, product_type, created_at, id);

-- +goose Down
DROP INDEX orders_product ON orders;
