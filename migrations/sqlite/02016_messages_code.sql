-- +goose Up
ALTER TABLE messages ADD COLUMN code BLOB NULL;

-- +goose Down
ALTER TABLE messages DROP COLUMN code;
