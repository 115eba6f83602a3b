package httpapi

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/locale"
)

// Verifier checks bearer tokens (auth.Verifier). Errors: auth.ErrToken, auth.ErrKeys.
type Verifier interface {
	Verify(ctx context.Context, bearer string) (*auth.Viewer, error)
	// Recall is the viewer of a token that need not be checked again yet, else nil; known: it was good before.
	Recall(bearer string) (v *auth.Viewer, known bool)
}

// identify puts viewer and language into the context. Without a token the request is anonymous.
func (a *API) identify(ctx context.Context, authorization, language string) (context.Context, error) {
	var v *auth.Viewer
	if authorization != "" {
		token, err := bearer(authorization)
		if err == nil {
			v, err = a.verify(ctx, token)
		}
		if err != nil {
			return ctx, err
		}
		ctx = auth.With(ctx, v)
	}
	l, ok := locale.Match(language)
	if !ok && v != nil && v.Locale != "" {
		l, ok = v.Locale, true
	}
	if ok {
		ctx = locale.With(ctx, l)
	}
	return ctx, nil
}

// bearer takes the token out of "Bearer <token>" (RFC 6750 §2.1).
func bearer(authorization string) (string, error) {
	scheme, token, ok := strings.Cut(authorization, " ")
	if token = strings.TrimSpace(token); !ok || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", auth.ErrToken
	}
	return token, nil
}

// isWrong: the token itself, and not that its keys are out of reach.
func isWrong(err error) bool { return errors.Is(err, auth.ErrToken) }

// refuseToken answers a token that is wrong (401), is not looked at (429) or cannot be checked now (503).
func (a *API) refuseToken(w http.ResponseWriter, r *http.Request, err error) {
	if often, ok := errors.AsType[*tooOften](err); ok {
		a.refuseLimited(w, r, often.refusal)
		return
	}
	if errors.Is(err, auth.ErrKeys) {
		w.Header().Set("Retry-After", "5")
		refuse(w, r, http.StatusServiceUnavailable, codeUnavailable, auth.ErrKeys.Error())
		return
	}
	w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	refuse(w, r, http.StatusUnauthorized, codeUnauthenticated, err.Error())
}
