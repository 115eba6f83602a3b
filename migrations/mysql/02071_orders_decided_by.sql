-- +goose NO TRANSACTION
-- +goose Up
-- Whose decision it was: the token's sub.
ALTER TABLE orders ADD COLUMN decided_by VARCHAR(255) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE orders DROP COLUMN decided_by;
