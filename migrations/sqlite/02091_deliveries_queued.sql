-- +goose Up
-- What waits already gets its queue.
UPDATE deliveries SET urgent = useless_at IS NOT NULL,
  kind = (SELECT m.kind FROM messages m WHERE m.account_id = deliveries.account_id AND m.id = deliveries.message_id)
WHERE kind = '' AND due_at IS NOT NULL;

-- +goose Down
SELECT 1;
