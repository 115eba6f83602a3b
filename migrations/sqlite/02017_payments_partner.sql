-- +goose Up
-- What waits for a partner or was paid by it, newest first.
CREATE INDEX payments_partner ON payments (partner_id, created_at, id);

-- +goose Down
DROP INDEX payments_partner;
