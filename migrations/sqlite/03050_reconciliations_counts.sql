-- +goose Up
ALTER TABLE reconciliations ADD COLUMN counts TEXT NULL;

-- +goose Down
ALTER TABLE reconciliations DROP COLUMN counts;
