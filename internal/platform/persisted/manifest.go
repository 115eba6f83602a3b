package persisted

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
)

// Format and Version of a manifest in Apollo's form ("persisted query manifest").
const (
	Format  = "apollo-persisted-query-manifest"
	Version = 1
)

// Manifest is a list of registered operations in Apollo's form.
type Manifest struct {
	Format     string      `json:"format"`
	Version    int         `json:"version"`
	Operations []Operation `json:"operations"`
}

// Operation is a registered document. ID is the SHA-256 of Body in lower-case hexadecimal.
type Operation struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type"`
	Body string `json:"body"`
}

// NewOperation gives a text its hash.
func NewOperation(name, kind, body string) Operation {
	sum := sha256.Sum256([]byte(body))
	return Operation{hex.EncodeToString(sum[:]), name, kind, body}
}

// Documents are registered texts by their hash.
type Documents map[string]string

// Merge gives the documents of both.
func (d Documents) Merge(other Documents) Documents {
	all := make(Documents, len(d)+len(other))
	for _, from := range []Documents{d, other} {
		for hash, text := range from {
			all[hash] = text
		}
	}
	return all
}

// ReadFile reads a manifest from a file; "" has no documents.
func ReadFile(path string) (Documents, error) {
	if path == "" {
		return nil, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return Parse(text)
}

// Parse reads a manifest in Apollo's form, or an object of SHA-256 to text as the compilers of Relay and GraphQL code generator
// write it (with sha256 as their hash; "sha256:" before it is taken too). Every hash must be that of its text; whether the texts
// are valid GraphQL the schema says.
func Parse(text []byte) (Documents, error) {
	var fields map[string]json.RawMessage
	if err := decode(text, &fields); err != nil {
		return nil, fmt.Errorf("this is not a JSON object: %w", err)
	}
	documents := Documents{}
	if fields["format"] == nil && fields["operations"] == nil {
		for id, raw := range fields {
			var body string
			if err := json.Unmarshal(raw, &body); err != nil {
				return nil, fmt.Errorf("%.80q is not a text", id)
			}
			if err := documents.add(id, body); err != nil {
				return nil, err
			}
		}
		return documents, nil
	}
	var m Manifest
	if err := decode(text, &m); err != nil {
		return nil, fmt.Errorf("this is not a manifest: %w", err)
	}
	if m.Format != Format || m.Version != Version {
		return nil, fmt.Errorf("format is %.80q, version %d: %s of version %d is read", m.Format, m.Version, Format, Version)
	}
	for _, o := range m.Operations {
		if err := documents.add(o.ID, o.Body); err != nil {
			return nil, fmt.Errorf("operation %.80q: %w", o.Name, err)
		}
	}
	return documents, nil
}

func (d Documents) add(id, text string) error {
	hash := strings.ToLower(strings.TrimPrefix(id, "sha256:"))
	if sum := sha256.Sum256([]byte(text)); hex.EncodeToString(sum[:]) != hash {
		return fmt.Errorf("%.80q is not the SHA-256 of its text", id)
	}
	d[hash] = text
	return nil
}

var errTrailing = errors.New("something follows the object")

// decode reads one JSON value with nothing after it.
func decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errTrailing
	}
	return nil
}
