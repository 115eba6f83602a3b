-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE messages ADD COLUMN code VARBINARY(64) NULL;

-- +goose Down
ALTER TABLE messages DROP COLUMN code;
