package main

import (
	"encoding/json"
	"strconv"

	"paydesk/bench/data"
	"paydesk/bench/load"
	"paydesk/internal/money"
	"paydesk/models"
)

// node is what both reads select of an order.
const node = `nodes { id number type productType amountDue { amount currency } createdAt expiresAt items { name quantity amount { amount currency } } payability { payable code } }`

// The operations. Payment methods and remittances join home when they exist.
const (
	homeQuery = `query Home { viewer { account { name } } balance { available { amount currency } frozen { amount currency } credit { limit { amount currency } used { amount currency } available { amount currency } } } ` +
		`orders(filter: {statuses: [PENDING_PAYMENT]}, first: 20) { totalCount ` + node + ` } }`
	ordersQuery = `query Orders($first: Int!, $after: String) { orders(filter: {statuses: [PENDING_PAYMENT, COMPLETED, CANCELED]}, orderBy: {field: CREATED_AT, direction: DESC}, first: $first, after: $after) ` +
		`{ pageInfo { hasNextPage hasPreviousPage startCursor endCursor } ` + node + ` } }`
	mergeMutation = `mutation MergePay($input: MergePayInput!) { mergePay(input: $input) { payment { id number status amount { amount currency } version createdAt completedAt } removed { code } errors { code } } }`
	payMutation   = `mutation Pay($input: PayInput!) { pay(input: $input) { payment { id number status amount { amount currency } version createdAt completedAt } errors { code } } }`
)

// pageSize is of the orders page.
const pageSize = 50

// face is how a server wants to be asked. Each method appends a whole HTTP request.
type face interface {
	home(b []byte, token string) []byte
	orders(b []byte, token, after string) []byte
	pay(b []byte, token, key string, w data.Waiting) []byte
	merge(b []byte, token, key string, w data.Together) []byte
	hello(b []byte, token string) []byte // asks for nothing, so that the token is known
}

// graphQL is paydesk: the operation's text with every request, as clients without persisted operations send it.
type graphQL struct{}

func body(query, variables string) []byte {
	text, err := json.Marshal(query)
	if err != nil {
		panic(err)
	}
	return []byte(`{"query":` + string(text) + `,"variables":` + variables + `}`)
}

var payPrefix, mergePrefix = prefix(payMutation), prefix(mergeMutation)

// prefix is a request's body up to its variables.
func prefix(mutation string) []byte {
	whole := body(mutation, "X")
	return whole[:len(whole)-2]
}

func (graphQL) home(b []byte, token string) []byte {
	return load.Post(b, "/graphql", token, body(homeQuery, `{}`))
}

func (graphQL) orders(b []byte, token, after string) []byte {
	return load.Post(b, "/graphql", token, body(ordersQuery, ordersVariables(after)))
}

func (graphQL) pay(b []byte, token, key string, w data.Waiting) []byte {
	text := append(make([]byte, 0, 1024), payPrefix...)
	text = append(text, `{"input":`...)
	text = appendPayInput(text, key, w)
	return load.Post(b, "/graphql", token, append(text, `}}`...))
}

func (graphQL) merge(b []byte, token, key string, w data.Together) []byte {
	text := append(make([]byte, 0, 4096), mergePrefix...)
	text = append(text, `{"input":`...)
	text = appendMergeInput(text, key, w)
	return load.Post(b, "/graphql", token, append(text, `}}`...))
}

func (graphQL) hello(b []byte, token string) []byte {
	return load.Post(b, "/graphql", token, []byte(`{"query":"{__typename}"}`))
}

// plain is the limit: the same variables, one path for each operation.
type plain struct{ path string }

func (plain) home(b []byte, token string) []byte { return load.Post(b, "/home", token, nil) }

func (plain) orders(b []byte, token, after string) []byte {
	return load.Post(b, "/orders", token, []byte(ordersVariables(after)))
}

func (p plain) pay(b []byte, token, key string, w data.Waiting) []byte {
	return load.Post(b, p.path, token, appendPayInput(make([]byte, 0, 512), key, w))
}

func (plain) merge(b []byte, token, key string, w data.Together) []byte {
	return load.Post(b, "/merge-pay", token, appendMergeInput(make([]byte, 0, 2048), key, w))
}

func (plain) hello(b []byte, token string) []byte { return load.Post(b, "/hello", token, nil) }

func ordersVariables(after string) string {
	if after == "" {
		return `{"first":` + strconv.Itoa(pageSize) + `}`
	}
	return `{"first":` + strconv.Itoa(pageSize) + `,"after":"` + after + `"}`
}

func appendPayInput(b []byte, key string, w data.Waiting) []byte {
	b = append(b, `{"idempotencyKey":"`...)
	b = append(b, key...)
	b = append(b, `","orderId":"`...)
	b = append(b, w.Order.Encode(models.PrefixOrder)...)
	b = append(b, `","funding":{"balance":{"amount":"`...)
	b = append(b, money.New(w.Due, "CNY").Decimal()...)
	return append(b, `","currency":"CNY"}}}`...)
}

func appendMergeInput(b []byte, key string, w data.Together) []byte {
	b = append(b, `{"idempotencyKey":"`...)
	b = append(b, key...)
	b = append(b, `","orderIds":[`...)
	for i, id := range w.Orders {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), id.Encode(models.PrefixOrder)...), '"')
	}
	b = append(b, `],"funding":{"balance":{"amount":"`...)
	b = append(b, money.New(w.Due, "CNY").Decimal()...)
	return append(b, `","currency":"CNY"}}}`...)
}
