package auth

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"paydesk/internal/platform/settings"
	"paydesk/models"
)

const (
	developmentIssuer = "paydesk-development"
	developmentKey    = "auth.development_key"
)

// Issuer signs tokens in development (HS256). Its key lies in table settings, so that tokens outlive a restart and hold
// for every instance. A production start makes none and believes none of its tokens.
type Issuer struct{ key []byte }

// NewIssuer reads the development key, or makes it.
func NewIssuer(ctx context.Context, store settings.Store) (*Issuer, error) {
	text, err := settings.GetOrCreate(ctx, store, developmentKey, func() string {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand)
		return base64.StdEncoding.EncodeToString(key)
	})
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(key) < 32 {
		return nil, fmt.Errorf("auth: setting %s is not a key", developmentKey)
	}
	return &Issuer{key: key}, nil
}

// Key is what Config.DevelopmentKey wants.
func (i *Issuer) Key() []byte { return i.key }

// ErrClaims: the wanted token would not be accepted.
var ErrClaims = errors.New("auth: a role of ours, a user id, and an account where the role has one")

// Issue signs a token for the viewer that ends ttl from now on the wall clock, to the next full second. ErrClaims where the verifier would refuse it.
func (i *Issuer) Issue(v Viewer, ttl time.Duration) (string, error) {
	if !v.Role.Valid() || v.UserID == "" || v.Role.AnyAccount() != v.AccountID.IsZero() {
		return "", ErrClaims
	}
	now := time.Now()
	ends := now.Add(ttl + time.Second - time.Nanosecond).Truncate(time.Second) // exp has seconds, and none shall be lost
	b := jwt.NewBuilder().Issuer(developmentIssuer).Subject(v.UserID).IssuedAt(now).Expiration(ends).
		Claim("role", string(v.Role))
	if v.Name != "" {
		b = b.Claim("name", v.Name)
	}
	if v.Locale != "" {
		b = b.Claim("locale", v.Locale)
	}
	if !v.AccountID.IsZero() {
		b = b.Claim("account", v.AccountID.Encode(models.PrefixAccount))
	}
	token, err := b.Build()
	if err != nil {
		return "", err
	}
	signed, err := jwt.Sign(token, jwt.WithKey(jwa.HS256(), i.key))
	return string(signed), err
}
