-- +goose NO TRANSACTION
-- +goose Up
-- Those with one verdict; refused ones are counted before another is kept.
CREATE INDEX inbox_verdict ON inbox (verdict, received_at, id);

-- +goose Down
DROP INDEX inbox_verdict ON inbox;
