-- +goose Up
-- Operators reach a line of any statement by its id alone; ids grow with time, so it is written at its end.
CREATE INDEX postings_id ON postings (id);

-- +goose Down
DROP INDEX postings_id;
