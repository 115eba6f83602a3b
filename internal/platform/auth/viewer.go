// Package auth knows who asks: the viewer of a request, the verification of tokens (RFC 7519, RFC 8725), and an issuer
// of tokens for development.
package auth

import (
	"context"
	"time"

	"paydesk/models"
)

// Role is what a viewer may do; the schema's enum of the same name describes each.
type Role string

// Roles.
const (
	Creator      Role = "CREATOR"
	Finance      Role = "FINANCE"
	Collaborator Role = "COLLABORATOR"
	Partner      Role = "PARTNER"
	Operator     Role = "OPERATOR"
	Service      Role = "SERVICE"
)

// Valid reports whether the role is one of the six.
func (r Role) Valid() bool {
	switch r {
	case Creator, Finance, Collaborator, Partner, Operator, Service:
		return true
	}
	return false
}

// AnyAccount reports whether the role belongs to no account and reaches every one by its id.
func (r Role) AnyAccount() bool { return r == Operator || r == Service }

// Viewer is who asks, as the token says. Shared between requests with the same token: read only.
type Viewer struct {
	UserID    string // the token's sub
	Name      string
	Role      Role
	AccountID models.ID // zero for OPERATOR and SERVICE
	Locale    string    // en, zh-Hans, zh-Hant; empty where the token does not say
	Expires   time.Time // wall clock, the leeway included; a subscription ends then
}

type key struct{}

// From is the viewer of the request, nil when it is anonymous.
func From(ctx context.Context) *Viewer {
	v, _ := ctx.Value(key{}).(*Viewer)
	return v
}

// With puts the viewer into the context.
func With(ctx context.Context, v *Viewer) context.Context { return context.WithValue(ctx, key{}, v) }
