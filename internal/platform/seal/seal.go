// Package seal hides small secrets in the database: what must be read again is encrypted (AES-256-GCM), what must only be compared is
// a keyed hash (HMAC-SHA-256). Both keys come from one, by HKDF (RFC 5869).
package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"

	"paydesk/internal/platform/settings"
)

const (
	// KeySize is the length of the key, in bytes.
	KeySize = 32
	setting = "seal.key"
)

// ErrSealed: this was not sealed with this key for this place, or was changed since.
var ErrSealed = errors.New("seal: cannot be opened")

// Box seals with one key. Safe for concurrent use.
type Box struct {
	aead cipher.AEAD
	mac  []byte
}

// New makes a box of a key of KeySize bytes.
func New(key []byte) (*Box, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("seal: the key has %d bytes, not %d", len(key), KeySize)
	}
	derive := func(purpose string) []byte {
		k, err := hkdf.Key(sha256.New, key, nil, "paydesk "+purpose, KeySize)
		if err != nil {
			panic(err) // for lengths that SHA-256 cannot give alone
		}
		return k
	}
	block, err := aes.NewCipher(derive("seal"))
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	return &Box{aead: aead, mac: derive("hash")}, err
}

// Load makes a box of the configured key (base64), or where that is empty of one that all instances share in table settings, made at
// the first start: then a copy of the whole database opens everything.
func Load(ctx context.Context, store settings.Store, configured string) (*Box, error) {
	if configured == "" {
		var err error
		if configured, err = settings.GetOrCreate(ctx, store, setting, fresh); err != nil {
			return nil, err
		}
	}
	key, err := base64.StdEncoding.DecodeString(configured)
	if err != nil {
		return nil, errors.New("seal: the key is not base64")
	}
	return New(key)
}

func fresh() string {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails (crypto/rand)
	return base64.StdEncoding.EncodeToString(key)
}

// Seal encrypts. Place says where it lies, such as a row's id: it opens nowhere else. The result is 28 bytes longer than plain.
func (b *Box) Seal(plain []byte, place ...string) []byte {
	return b.aead.Seal(nil, nil, plain, joined(place))
}

// Open is the way back. ErrSealed where the key, the place or the bytes are others.
func (b *Box) Open(sealed []byte, place ...string) ([]byte, error) {
	plain, err := b.aead.Open(nil, nil, sealed, joined(place))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// Hash is 32 bytes that say nothing about the parts without the key. Compare it by hmac.Equal.
func (b *Box) Hash(parts ...string) []byte {
	h := hmac.New(sha256.New, b.mac)
	h.Write(joined(parts))
	return h.Sum(nil)
}

// joined keeps apart what ("a", "bc") and ("ab", "c") mean.
func joined(parts []string) (out []byte) {
	for _, p := range parts {
		out = binary.AppendUvarint(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out
}
