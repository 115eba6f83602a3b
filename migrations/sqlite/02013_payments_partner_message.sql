-- +goose Up
ALTER TABLE payments ADD COLUMN partner_message TEXT NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE payments DROP COLUMN partner_message;
