-- +goose Up
ALTER TABLE payments ADD COLUMN partner_id BLOB NULL;

-- +goose Down
ALTER TABLE payments DROP COLUMN partner_id;
