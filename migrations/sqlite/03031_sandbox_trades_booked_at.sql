-- +goose Up
CREATE INDEX sandbox_trades_booked_at ON sandbox_trades (channel, booked_at);

-- +goose Down
DROP INDEX sandbox_trades_booked_at;
