// Package dev is the face that exists in development alone (contract.md §6): people to sign in as, tokens, the product's
// clock, and what would have been sent. A production start does not mount it.
package dev

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/clock"
	"paydesk/models"
)

// Person is somebody of the demo data.
type Person struct {
	Name          string
	UserID        string
	Role          auth.Role
	Locale        string
	AccountID     models.ID // zero for OPERATOR and SERVICE
	AccountNumber string
}

// Message is an SMS or e-mail that would have been sent.
type Message struct {
	Kind    string    `json:"kind"`
	To      string    `json:"to"`
	Subject string    `json:"subject"`
	Body    string    `json:"body"`
	Code    string    `json:"code,omitempty"`
	At      time.Time `json:"at"`
}

// Config is what the endpoints stand on; every field is needed.
type Config struct {
	Issuer   *auth.Issuer
	Clock    *clock.Shifted
	People   func(ctx context.Context) ([]Person, error)
	Account  func(ctx context.Context, id models.ID) (found bool, err error)
	RunDue   func(ctx context.Context) error // the sweep: due work is done when the clock answers
	Messages func(ctx context.Context, account models.ID) ([]Message, error)
}

// tokenTTL is how long a token holds that does not say.
const (
	tokenTTL    = 12 * time.Hour
	maxTokenTTL = 30 * 24 * time.Hour
	maxBody     = 16 << 10
)

// New serves everything below /dev/.
func New(c Config) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /dev/personas", answer(c.personas))
	mux.HandleFunc("POST /dev/token", answer(c.token))
	mux.HandleFunc("GET /dev/clock", answer(c.now))
	mux.HandleFunc("POST /dev/clock", answer(c.move))
	mux.HandleFunc("GET /dev/messages", answer(c.messages))
	return mux
}

// wrong is a bad request; its text says what fits.
type wrong string

func (w wrong) Error() string { return string(w) }

func answer(fn func(*http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := fn(r)
		status := http.StatusOK
		var bad wrong
		switch {
		case errors.As(err, &bad):
			status, body = http.StatusBadRequest, map[string]string{"error": bad.Error()}
		case err != nil:
			status, body = http.StatusInternalServerError, map[string]string{"error": err.Error()} // development alone
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}
}

// read takes a JSON body; unknown fields are told, for a typing error here costs an hour.
func read(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return wrong("the body is not the JSON that is wanted: " + err.Error())
	}
	if _, err := d.Token(); err != io.EOF {
		return wrong("one JSON object is wanted, nothing after it")
	}
	return nil
}

func (c Config) personas(r *http.Request) (any, error) {
	people, err := c.People(r.Context())
	if err != nil {
		return nil, err
	}
	type persona struct {
		Name          string    `json:"name"`
		Role          auth.Role `json:"role"`
		AccountID     *string   `json:"accountId"`
		AccountNumber *string   `json:"accountNumber"`
		Token         string    `json:"token"`
	}
	out := make([]persona, len(people))
	for i, p := range people {
		token, err := c.Issuer.Issue(auth.Viewer{UserID: p.UserID, Name: p.Name, Role: p.Role, AccountID: p.AccountID, Locale: p.Locale}, tokenTTL)
		if err != nil {
			return nil, err
		}
		out[i] = persona{Name: p.Name, Role: p.Role, Token: token}
		if !p.AccountID.IsZero() {
			id := p.AccountID.Encode(models.PrefixAccount)
			out[i].AccountID, out[i].AccountNumber = &id, &p.AccountNumber
		}
	}
	return out, nil
}

func (c Config) token(r *http.Request) (any, error) {
	var in struct {
		Role      auth.Role `json:"role"`
		AccountID string    `json:"accountId"`
		UserID    string    `json:"userId"`
		Name      string    `json:"name"`
		Locale    string    `json:"locale"`
		TTL       string    `json:"ttl"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	v := auth.Viewer{UserID: in.UserID, Name: in.Name, Role: in.Role, Locale: in.Locale}
	if !v.Role.Valid() {
		return nil, wrong("role is one of CREATOR, FINANCE, COLLABORATOR, PARTNER, OPERATOR, SERVICE")
	}
	if v.Role.AnyAccount() != (in.AccountID == "") {
		return nil, wrong("accountId is wanted for every role but OPERATOR and SERVICE, which have none")
	}
	if in.AccountID != "" {
		id, err := models.Decode(models.PrefixAccount, in.AccountID)
		if err != nil {
			return nil, wrong("accountId is not an account's id (acc_…)")
		}
		if found, err := c.Account(r.Context(), id); err != nil || !found {
			return nil, errors.Join(err, wrong("there is no account with this accountId"))
		}
		v.AccountID = id
	}
	if v.UserID == "" {
		v.UserID = "dev-" + string(v.Role)
		if !v.AccountID.IsZero() {
			v.UserID += "-" + v.AccountID.String()
		}
	}
	if v.Name == "" {
		v.Name = v.UserID
	}
	ttl := tokenTTL
	if in.TTL != "" {
		var err error
		if ttl, err = time.ParseDuration(in.TTL); err != nil || ttl > maxTokenTTL {
			return nil, wrong(`ttl is a duration like "90s" or "12h", at most 720h`)
		}
	}
	token, err := c.Issuer.Issue(v, ttl)
	if err != nil {
		return nil, wrong(err.Error())
	}
	return map[string]string{"token": token}, nil
}

func (c Config) now(*http.Request) (any, error) {
	return map[string]string{"now": c.Clock.Now().Format(time.RFC3339Nano)}, nil
}

func (c Config) move(r *http.Request) (any, error) {
	var in struct {
		Advance string `json:"advance"`
		At      string `json:"at"`
	}
	if err := read(r, &in); err != nil {
		return nil, err
	}
	var err error
	switch {
	case (in.Advance == "") == (in.At == ""):
		return nil, wrong(`either {"advance":"72h"} or {"at":"2026-12-01T00:00:00Z"} is wanted`)
	case in.Advance != "":
		var d time.Duration
		if d, err = time.ParseDuration(in.Advance); err != nil || d < 0 {
			return nil, wrong(`advance is a duration forward, like "72h" or "90s"`)
		}
		err = c.Clock.Advance(r.Context(), d)
	default:
		var at time.Time
		if at, err = time.Parse(time.RFC3339, in.At); err != nil {
			return nil, wrong(`at is a time like "2026-12-01T00:00:00Z" (RFC 3339)`)
		}
		err = c.Clock.Set(r.Context(), at)
	}
	if errors.Is(err, clock.ErrBackwards) {
		return nil, wrong(err.Error())
	}
	if err == nil {
		err = c.RunDue(r.Context())
	}
	if err != nil {
		return nil, err
	}
	return c.now(r)
}

func (c Config) messages(r *http.Request) (any, error) {
	account, err := models.Decode(models.PrefixAccount, r.URL.Query().Get("accountId"))
	if err != nil {
		return nil, wrong("accountId=acc_… is wanted")
	}
	out, err := c.Messages(r.Context(), account)
	if out == nil {
		out = []Message{}
	}
	return out, err
}
