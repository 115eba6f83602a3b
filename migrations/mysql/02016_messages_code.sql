-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE messages ADD COLUMN code VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE messages DROP COLUMN code;
