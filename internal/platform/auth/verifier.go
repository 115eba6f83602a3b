package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/hashicorp/golang-lru/v2"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jws"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"paydesk/internal/platform/locale"
	"paydesk/models"
)

var (
	// ErrToken: the token is malformed, wrongly signed, expired, not for us, or lacks a claim. The wrapped text says
	// which, without the token's content; it may be shown.
	ErrToken = errors.New("the token is not valid")
	// ErrKeys: the issuer's keys could not be fetched yet; a retry may work.
	ErrKeys = errors.New("the keys to check tokens with are not available")
)

const (
	// maxToken bounds the work on a hostile header, in bytes.
	maxToken = 8 << 10
	// maxSubject is what a sub may have (OpenID Connect Core 1.0, §2), and what a payment keeps of who made it, in bytes.
	maxSubject = 255
	// recheckAfter bounds how long a verified token is believed without looking at the keys again (key rotation).
	recheckAfter = 5 * time.Minute
)

// Config says which tokens are believed. Every source of keys may be absent; without any every token is refused.
type Config struct {
	JWKSURL        string        // keys of the identity provider, refreshed in the background
	KeyFile        string        // or one PEM public key
	Issuer         string        // required iss; empty: not checked
	Audience       string        // required aud; empty: not checked
	Leeway         time.Duration // clock skew allowed on exp, nbf and iat; not on exp of tokens of our own, in development
	DevelopmentKey []byte        // HS256 key of Issuer; nil in production
	CacheSize      int           // verified tokens kept, about 0.5 KB each; 0: 50,000
	HTTPClient     *http.Client  // for JWKSURL; nil: one with a 10 s timeout
	Now            func() time.Time
}

// Verifier turns a bearer token into a viewer. Safe for concurrent use.
type Verifier struct {
	cfg   Config
	keys  keySource // nil: none configured
	cache *lru.Cache[[sha256.Size]byte, verified]
}

type verified struct {
	viewer     *Viewer
	recheck    time.Time
	generation int64 // of the keys it was checked with
}

// NewVerifier starts the background refresh of keys where a JWKS URL is configured; Close ends it. A JWKS host that is
// down does not stop the start: tokens are ErrKeys until it answers.
func NewVerifier(ctx context.Context, cfg Config) (*Verifier, error) {
	if cfg.CacheSize <= 0 {
		cfg.CacheSize = 50_000
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	cache, err := lru.New[[sha256.Size]byte, verified](cfg.CacheSize)
	if err != nil {
		return nil, err
	}
	keys, err := newKeySource(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &Verifier{cfg: cfg, keys: keys, cache: cache}, nil
}

// Close ends the background refresh.
func (v *Verifier) Close() error {
	if v.keys == nil {
		return nil
	}
	return v.keys.close()
}

// Recall is the viewer of a token that was verified a short while ago, for the price of one hash; nil where Verify has to look. known
// is true for a token that was good once, be it expired by now.
func (v *Verifier) Recall(bearer string) (viewer *Viewer, known bool) {
	if len(bearer) > maxToken {
		return nil, false
	}
	hit, known := v.cache.Get(sha256.Sum256([]byte(bearer)))
	if now := v.cfg.Now(); known && now.Before(hit.recheck) && now.Before(hit.viewer.Expires) && hit.generation == v.generation() {
		return hit.viewer, true
	}
	return nil, known
}

// Verify checks a token: ErrToken (wrapped, with the reason) or ErrKeys. A token that was checked before costs one hash.
func (v *Verifier) Verify(ctx context.Context, bearer string) (*Viewer, error) {
	if len(bearer) > maxToken {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrToken, maxToken)
	}
	now, sum := v.cfg.Now(), sha256.Sum256([]byte(bearer))
	generation := v.generation()
	if hit, ok := v.cache.Get(sum); ok {
		if !now.Before(hit.viewer.Expires) { // for good, so that it is not forgotten that it was good once
			return nil, fmt.Errorf("%w: it has expired", ErrToken)
		}
		if now.Before(hit.recheck) && hit.generation == generation {
			return hit.viewer, nil
		}
	}
	viewer, err := v.verify(ctx, bearer)
	if err != nil {
		v.cache.Remove(sum)
		return nil, err
	}
	v.cache.Add(sum, verified{viewer, now.Add(recheckAfter), generation})
	return viewer, nil
}

func (v *Verifier) generation() int64 {
	if v.keys == nil {
		return 0
	}
	return v.keys.generation()
}

func (v *Verifier) verify(ctx context.Context, bearer string) (*Viewer, error) {
	alg, kid, err := header(bearer)
	if err != nil {
		return nil, err
	}
	if alg == jwa.HS256() {
		// The only symmetric key there is; kept apart from the others, so that no public key is ever taken for a secret.
		if v.cfg.DevelopmentKey == nil {
			return nil, fmt.Errorf("%w: its algorithm is not accepted", ErrToken)
		}
		viewer, err := v.parse(bearer, alg, v.cfg.DevelopmentKey, developmentIssuer, "")
		if err != nil {
			return nil, err
		}
		// Our own clock made it, so it ends when it says: a token of five seconds is good for trying what happens then.
		viewer.Expires = viewer.Expires.Add(-v.cfg.Leeway)
		if !v.cfg.Now().Before(viewer.Expires) {
			return nil, fmt.Errorf("%w: it has expired", ErrToken)
		}
		return viewer, nil
	}
	if v.keys == nil {
		return nil, fmt.Errorf("%w: no keys are configured", ErrToken)
	}
	candidates, err := v.keys.find(ctx, alg, kid)
	if err != nil {
		return nil, err
	}
	err = fmt.Errorf("%w: its key is not known", ErrToken)
	for _, k := range candidates {
		var viewer *Viewer
		if viewer, err = v.parse(bearer, alg, k, v.cfg.Issuer, v.cfg.Audience); err == nil {
			return viewer, nil
		}
	}
	return nil, err
}

// header reads algorithm and key id of a compact JWS; the algorithm list is closed (RFC 8725 §3.1).
func header(bearer string) (jwa.SignatureAlgorithm, string, error) {
	none := jwa.NoSignature()
	if strings.Count(bearer, ".") != 2 || strings.HasPrefix(bearer, "{") {
		return none, "", fmt.Errorf("%w: it is not a signed JWT", ErrToken)
	}
	msg, err := jws.Parse([]byte(bearer), jws.WithCompact())
	if err != nil || len(msg.Signatures()) != 1 || !isObject(msg.Payload()) {
		return none, "", fmt.Errorf("%w: it is not a signed JWT", ErrToken)
	}
	h := msg.Signatures()[0].ProtectedHeaders()
	if crit, ok := h.Critical(); ok && len(crit) > 0 {
		return none, "", fmt.Errorf("%w: it has a critical header", ErrToken)
	}
	if typ, ok := h.Type(); ok && !ours(typ) {
		return none, "", fmt.Errorf("%w: it is of another type", ErrToken)
	}
	alg, _ := h.Algorithm()
	switch alg {
	case jwa.RS256(), jwa.ES256(), jwa.EdDSA(), jwa.HS256():
	default:
		return none, "", fmt.Errorf("%w: its algorithm is not accepted", ErrToken)
	}
	kid, _ := h.KeyID()
	return alg, kid, nil
}

// isObject: claims are one JSON object and nothing else (RFC 7519 §7.2). A JWT within a JWT is none, and jwx would not see what stands
// behind the object.
func isObject(payload []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(payload), []byte("{")) && json.Valid(payload)
}

// ours reports whether a token says that it is one to ask with (RFC 8725 §3.11, RFC 9068 §2.1). Others of the same issuer, to
// sign out or to prove a key, are for somebody else.
func ours(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "jwt" || typ == "at+jwt"
}

func (v *Verifier) parse(bearer string, alg jwa.SignatureAlgorithm, key any, issuer, audience string) (*Viewer, error) {
	options := []jwt.ParseOption{
		jwt.WithKey(alg, key), jwt.WithRequiredClaim(jwt.ExpirationKey), jwt.WithRequiredClaim(jwt.SubjectKey),
		jwt.WithAcceptableSkew(v.cfg.Leeway), jwt.WithClock(jwt.ClockFunc(v.cfg.Now)),
	}
	if issuer != "" {
		options = append(options, jwt.WithIssuer(issuer))
	}
	if audience != "" {
		options = append(options, jwt.WithAudience(audience))
	}
	token, err := jwt.Parse([]byte(bearer), options...)
	switch {
	case err == nil:
		return v.viewer(token)
	case errors.Is(err, jwt.TokenExpiredError()):
		return nil, fmt.Errorf("%w: it has expired", ErrToken)
	case errors.Is(err, jwt.TokenNotYetValidError()):
		return nil, fmt.Errorf("%w: it is not valid yet", ErrToken)
	case errors.Is(err, jwt.InvalidIssuerError()), errors.Is(err, jwt.InvalidAudienceError()):
		return nil, fmt.Errorf("%w: it was made by or for somebody else", ErrToken)
	case errors.Is(err, jwt.MissingRequiredClaimError()):
		return nil, fmt.Errorf("%w: it lacks exp or sub", ErrToken)
	}
	return nil, fmt.Errorf("%w: its signature or claims are wrong", ErrToken)
}

// viewer reads our claims (contract, chapter 3).
func (c *Verifier) viewer(t jwt.Token) (*Viewer, error) {
	var v Viewer
	v.UserID, _ = t.Subject()
	v.Expires, _ = t.Expiration()
	v.Expires = v.Expires.Add(c.cfg.Leeway)
	v.Name, v.Role = claim(t, "name"), Role(claim(t, "role"))
	v.Locale, _ = locale.Match(claim(t, "locale"))
	if claim(t, "locale") == "" {
		v.Locale = ""
	}
	account := claim(t, "account")
	if account == "" && t.Has("account") {
		return nil, fmt.Errorf("%w: account is not an account's id", ErrToken)
	}
	switch {
	case v.UserID == "":
		return nil, fmt.Errorf("%w: sub is empty", ErrToken)
	case len(v.UserID) > maxSubject:
		return nil, fmt.Errorf("%w: sub has more than %d bytes", ErrToken, maxSubject)
	case !v.Role.Valid():
		return nil, fmt.Errorf("%w: role is not one of ours", ErrToken)
	case v.Role.AnyAccount():
		if account != "" {
			return nil, fmt.Errorf("%w: role %s has no account", ErrToken, v.Role)
		}
		return &v, nil
	}
	id, err := models.Decode(models.PrefixAccount, account)
	if err != nil {
		return nil, fmt.Errorf("%w: account is not an account's id", ErrToken)
	}
	v.AccountID = id
	return &v, nil
}

// claim is a text claim, empty where it is absent or something else.
func claim(t jwt.Token, name string) string {
	var text string
	_ = t.Get(name, &text)
	return text
}
