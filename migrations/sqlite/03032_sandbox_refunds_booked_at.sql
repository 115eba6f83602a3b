-- +goose Up
CREATE INDEX sandbox_refunds_booked_at ON sandbox_refunds (channel, booked_at);

-- +goose Down
DROP INDEX sandbox_refunds_booked_at;
