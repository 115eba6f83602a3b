-- +goose Up
-- Whose decision it was: the token's sub.
ALTER TABLE orders ADD COLUMN decided_by TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE orders DROP COLUMN decided_by;
