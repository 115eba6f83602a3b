package main

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"time"

	"paydesk/models"
)

// viewer is who asks.
type viewer struct {
	user, role, locale string
	account            models.ID
	expires            time.Time
}

// tokens verifies JWTs (RFC 7519) signed with HS256 and the development key, and keeps those it has verified, as paydesk does.
type tokens struct {
	key   []byte
	known sync.Map // the header's text → viewer; bounded by the tokens a benchmark makes
}

var errToken = errors.New("the token is not valid")

func (t *tokens) verify(header string) (viewer, error) {
	if v, ok := t.known.Load(header); ok {
		who := v.(viewer)
		if time.Now().After(who.expires) {
			return viewer{}, errToken
		}
		return who, nil
	}
	who, err := t.parse(header)
	if err == nil {
		t.known.Store(header, who)
	}
	return who, err
}

func (t *tokens) parse(header string) (viewer, error) {
	text, ok := strings.CutPrefix(header, "Bearer ")
	parts := strings.Split(text, ".")
	if !ok || len(parts) != 3 {
		return viewer{}, errToken
	}
	head, err0 := base64.RawURLEncoding.DecodeString(parts[0])
	claims, err1 := base64.RawURLEncoding.DecodeString(parts[1])
	signature, err2 := base64.RawURLEncoding.DecodeString(parts[2])
	mac := hmac.New(sha256.New, t.key)
	mac.Write([]byte(parts[0] + "." + parts[1]))
	if errors.Join(err0, err1, err2) != nil || !bytes.Contains(head, []byte(`"HS256"`)) || !hmac.Equal(mac.Sum(nil), signature) {
		return viewer{}, errToken
	}
	var c struct {
		Sub, Role, Account, Locale string
		Exp                        int64
	}
	if err := json.Unmarshal(claims, &c); err != nil {
		return viewer{}, errToken
	}
	account, err := models.Decode(models.PrefixAccount, c.Account)
	who := viewer{c.Sub, c.Role, c.Locale, account, time.Unix(c.Exp, 0)}
	if err != nil || c.Exp == 0 || time.Now().After(who.expires) {
		return viewer{}, errToken
	}
	return who, nil
}
