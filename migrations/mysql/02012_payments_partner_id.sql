-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE payments ADD COLUMN partner_id BINARY(16) NULL;

-- +goose Down
ALTER TABLE payments DROP COLUMN partner_id;
