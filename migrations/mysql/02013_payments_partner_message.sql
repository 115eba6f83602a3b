-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE payments ADD COLUMN partner_message VARCHAR(500) NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE payments DROP COLUMN partner_message;
