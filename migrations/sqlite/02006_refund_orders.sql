-- +goose Up
CREATE TABLE refund_orders (
  account_id BLOB NOT NULL,
  refund_id BLOB NOT NULL,
  order_id BLOB NOT NULL,
  amount INTEGER NOT NULL,
  created_at DATETIME NOT NULL,
  PRIMARY KEY (account_id, refund_id, order_id)
);


-- +goose Down
DROP TABLE refund_orders;
