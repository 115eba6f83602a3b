-- +goose Up
-- What was charged of a POSTPAID order's freeze when it ended.
ALTER TABLE freezes ADD COLUMN charged INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE freezes DROP COLUMN charged;
