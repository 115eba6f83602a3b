-- +goose NO TRANSACTION
-- +goose Up
-- How a review or confirmation ended: the same decision once more changes nothing, another one is refused.
ALTER TABLE orders ADD COLUMN decision VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '';

-- +goose Down
ALTER TABLE orders DROP COLUMN decision;
