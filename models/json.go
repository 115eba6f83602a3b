package models

import (
	"database/sql/driver"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// OrderItems are the lines of an order, kept in its row as JSON.
type OrderItems []OrderItem

// Value stores the items as JSON.
func (o OrderItems) Value() (driver.Value, error) { return jsonValue([]OrderItem(o)) }

// Scan reads items from JSON.
func (o *OrderItems) Scan(src any) error { return jsonScan(src, (*[]OrderItem)(o)) }

// FormField is one field of a form that the payer's browser posts to a provider.
type FormField struct {
	Name  string `json:"n"`
	Value string `json:"v"`
}

// FormFields are kept as JSON in a payment's row.
type FormFields []FormField

// Value stores the fields as JSON, none as NULL.
func (f FormFields) Value() (driver.Value, error) {
	if len(f) == 0 {
		return nil, nil
	}
	return jsonValue([]FormField(f))
}

// Scan reads fields from JSON.
func (f *FormFields) Scan(src any) error { return jsonScan(src, (*[]FormField)(f)) }

// Value stores terms as JSON, none as NULL.
func (t Terms) Value() (driver.Value, error) {
	b, err := json.Marshal(t)
	if err != nil || string(b) == "{}" {
		return nil, err
	}
	return string(b), nil
}

// Scan reads terms.
func (t *Terms) Scan(src any) error { return jsonScan(src, t) }

// Value stores a list of texts as JSON.
func (t Texts) Value() (driver.Value, error) {
	if len(t) == 0 {
		return "[]", nil
	}
	return jsonValue([]string(t))
}

// Scan reads a list of texts.
func (t *Texts) Scan(src any) error { return jsonScan(src, (*[]string)(t)) }

func jsonValue(v any) (driver.Value, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return string(b), nil
}

func jsonScan(src, dst any) error {
	switch v := src.(type) {
	case nil:
		return nil
	case []byte:
		return json.Unmarshal(v, dst)
	case string:
		return json.Unmarshal([]byte(v), dst)
	}
	return fmt.Errorf("models: cannot read JSON from %T", src)
}

type orderItemJSON struct {
	ID            string `json:"id"`
	Name          string `json:"name"`
	Specification string `json:"spec,omitempty"`
	Quantity      int    `json:"qty"`
	Period        string `json:"period,omitempty"`
	Amount        int64  `json:"amount"`
}

// MarshalJSON writes the item with its id in hexadecimal.
func (i OrderItem) MarshalJSON() ([]byte, error) {
	return json.Marshal(orderItemJSON{i.ID.String(), i.Name, i.Specification, i.Quantity, i.Period, i.Amount})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (i *OrderItem) UnmarshalJSON(b []byte) error {
	var j orderItemJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return err
	}
	id, err := hex.DecodeString(j.ID)
	if err != nil || len(id) != len(i.ID) {
		return fmt.Errorf("models: item id %q", j.ID)
	}
	*i = OrderItem{ID(id), j.Name, j.Specification, j.Quantity, j.Period, j.Amount}
	return nil
}
