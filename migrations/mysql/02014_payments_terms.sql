-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE payments ADD COLUMN terms TEXT NULL;

-- +goose Down
ALTER TABLE payments DROP COLUMN terms;
