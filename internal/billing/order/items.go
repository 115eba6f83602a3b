package order

import (
	"bytes"
	"encoding/hex"
	"encoding/json"

	"paydesk/models"
)

// decodeItems reads an order's items as models.OrderItems wrote them. Lists of orders spend more time here than on anything
// else they do in Go, so what our own encoder writes is read by a parser that knows it; whatever looks different (another
// order of fields, escapes) goes to encoding/json.
func decodeItems(raw []byte) (models.OrderItems, error) {
	if items, ok := decodeFast(raw); ok {
		return items, nil
	}
	var items models.OrderItems
	err := json.Unmarshal(raw, &items)
	return items, err
}

func decodeFast(raw []byte) (models.OrderItems, bool) {
	p := &parser{rest: raw}
	if !p.literal("[") {
		return nil, false
	}
	items := make(models.OrderItems, 0, bytes.Count(raw, []byte(`{"id":"`)))
	for !p.literal("]") {
		if len(items) > 0 && !p.literal(",") {
			return nil, false
		}
		var it models.OrderItem
		if !p.item(&it) {
			return nil, false
		}
		items = append(items, it)
	}
	return items, len(p.rest) == 0
}

type parser struct{ rest []byte }

func (p *parser) item(it *models.OrderItem) bool {
	if !p.literal(`{"id":"`) || len(p.rest) < 33 || p.rest[32] != '"' {
		return false
	}
	if _, err := hex.Decode(it.ID[:], p.rest[:32]); err != nil {
		return false
	}
	p.rest = p.rest[33:]
	ok := p.literal(`,"name":`) && p.text(&it.Name)
	if ok && p.literal(`,"spec":`) {
		ok = p.text(&it.Specification)
	}
	var quantity int64
	ok = ok && p.literal(`,"qty":`) && p.number(&quantity)
	it.Quantity = int(quantity)
	if ok && p.literal(`,"period":`) {
		ok = p.text(&it.Period)
	}
	return ok && p.literal(`,"amount":`) && p.number(&it.Amount) && p.literal("}")
}

// literal goes past s where the rest begins with it.
func (p *parser) literal(s string) bool {
	if len(p.rest) < len(s) || string(p.rest[:len(s)]) != s {
		return false
	}
	p.rest = p.rest[len(s):]
	return true
}

// text reads a string without escapes.
func (p *parser) text(into *string) bool {
	if !p.literal(`"`) {
		return false
	}
	end := bytes.IndexByte(p.rest, '"')
	if end < 0 || bytes.IndexByte(p.rest[:end], '\\') >= 0 {
		return false
	}
	*into, p.rest = string(p.rest[:end]), p.rest[end+1:]
	return true
}

// number reads a whole number of at most 18 digits.
func (p *parser) number(into *int64) bool {
	negative := p.literal("-")
	n, value := 0, int64(0)
	for n < len(p.rest) && p.rest[n] >= '0' && p.rest[n] <= '9' {
		value = value*10 + int64(p.rest[n]-'0')
		n++
	}
	if n == 0 || n > 18 {
		return false
	}
	if negative {
		value = -value
	}
	*into, p.rest = value, p.rest[n:]
	return true
}
