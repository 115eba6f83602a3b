-- +goose Up
CREATE INDEX postings_book ON postings (book, posted_at);

-- +goose Down
DROP INDEX postings_book;
