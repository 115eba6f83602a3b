// Package paymentrequest makes the document with which a customer asks its own company for the money of orders (HW-25). It is priced
// as a payment would be and reserves nothing; it is valid no longer than the orders, discounts and coupons in it.
package paymentrequest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"runtime"
	"time"

	"paydesk/internal/billing/checkout"
	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/policy"
	"paydesk/internal/platform/blob"
	"paydesk/internal/platform/clock"
	"paydesk/internal/platform/database"
	"paydesk/internal/platform/idempotency"
	"paydesk/models"
)

// Config is what a Service is made of; all of it is needed.
type Config struct {
	DB       *database.DB
	Keys     *idempotency.Store
	Quotes   Quotes
	Accounts Accounts
	Files    *blob.Store
	Policy   *policy.Policy
	Clock    clock.Clock
}

// Quotes is what it asks of checkout.Service: the judgement and the prices of mergePay.
type Quotes interface {
	Quote(ctx context.Context, r checkout.Request) (checkout.Quote, error)
}

// Accounts is what it asks of account.Service.
type Accounts interface {
	ByID(ctx context.Context, id models.ID) (models.Account, bool, error)
}

// Service makes payment requests. Safe for concurrent use.
type Service struct {
	Config
	drawing chan struct{} // a document takes some 30 MB and a core while it is drawn: no more at once than cores
}

// New makes a service.
func New(c Config) *Service { return &Service{c, make(chan struct{}, runtime.GOMAXPROCS(0))} }

// Input is who asks for what: one to the policy's maximum of orders, linked ones counted. Locale is the document's language.
type Input struct {
	AccountID      models.ID
	UserID, Locale string
	OrderIDs       []models.ID
	CouponIDs      []string
	DiscountID     string
}

// Request is a payment request with its document.
type Request struct {
	models.PaymentRequest
	Document models.File
}

// outcomeKind names payment requests among the outcomes of idempotency keys.
const outcomeKind = "payment_request"

// Create makes the document, once for a key (contract §4): the same key gives the same one. Faults: ACCOUNT_NOT_ACTIVE,
// FUNDING_NOT_ALLOWED where the policy gives this kind of customer none (HW-25), and those of checkout's Quote.
func (s *Service) Create(ctx context.Context, in Input) (Request, error) {
	var made Request
	out, replayed, err := s.Keys.Do(ctx, func(ctx context.Context) (out idempotency.Outcome, err error) {
		made, err = s.make(ctx, in)
		return idempotency.Outcome{Kind: outcomeKind, Ref: made.ID}, err
	})
	if err != nil || !replayed {
		return made, err
	}
	return s.byID(ctx, in.AccountID, out.Ref)
}

func (s *Service) make(ctx context.Context, in Input) (Request, error) {
	account, err := s.customer(ctx, in.AccountID)
	if err != nil {
		return Request{}, err
	}
	quote, err := s.Quotes.Quote(ctx, checkout.Request{AccountID: in.AccountID, OrderIDs: in.OrderIDs, CouponIDs: in.CouponIDs, DiscountID: in.DiscountID, Merged: true})
	if err != nil {
		return Request{}, err
	}
	now := s.Clock.Now()
	r := Request{PaymentRequest: models.PaymentRequest{AccountID: in.AccountID, ID: models.NewID(), Number: newNumber(now.In(s.Policy.Location())), Currency: account.Currency,
		Total: quote.Priced.Total, FileID: models.NewID(), ValidUntil: quote.ValidUntil, CreatedBy: in.UserID, CreatedAt: now}}
	content, err := s.draw(ctx, sheet{r: r.PaymentRequest, quote: quote, account: account, policy: s.Policy, locale: in.Locale})
	if err != nil {
		return Request{}, err
	}
	r.Document = s.file(r.PaymentRequest, int64(len(content)))
	return s.keep(ctx, r, content)
}

func (s *Service) draw(ctx context.Context, sheet sheet) ([]byte, error) {
	select {
	case s.drawing <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-s.drawing }()
	return draw(sheet)
}

// customer reads the account and sees whether it may have a document at all. Its identity is no matter here: nothing is paid.
func (s *Service) customer(ctx context.Context, id models.ID) (models.Account, error) {
	a, found, err := s.Accounts.ByID(ctx, id)
	switch {
	case err != nil:
		return a, err
	case !found:
		return a, fault.ErrNotFound
	case a.Status != models.AccountActive:
		return a, fault.New("ACCOUNT_NOT_ACTIVE")
	case !s.Policy.PaymentRequestAllowed(a.Kind):
		return a, fault.New("FUNDING_NOT_ALLOWED")
	}
	return a, nil
}

func (s *Service) file(r models.PaymentRequest, size int64) models.File {
	end := r.ValidUntil.Add(s.Policy.PaymentRequestKept())
	return models.File{AccountID: r.AccountID, ID: r.FileID, Name: "payment-request-" + r.Number + ".pdf", ContentType: "application/pdf", Size: size, ExpiresAt: &end, CreatedAt: r.CreatedAt}
}

// keep writes key, document and request in one transaction.
func (s *Service) keep(ctx context.Context, r Request, content []byte) (Request, error) {
	err := s.DB.InTx(ctx, func(ctx context.Context) (err error) {
		if err = s.Keys.Claim(ctx, idempotency.Outcome{Kind: outcomeKind, Ref: r.ID}); err != nil {
			return err
		}
		if r.Document, err = s.Files.Put(ctx, r.Document, bytes.NewReader(content)); err != nil {
			return err
		}
		_, err = s.DB.Exec(ctx, "INSERT INTO payment_requests (account_id, id, number, currency, total, file_id, valid_until, created_by, created_at) VALUES (?,?,?,?,?,?,?,?,?)",
			r.AccountID, r.ID, r.Number, r.Currency, r.Total, r.FileID, r.ValidUntil, r.CreatedBy, r.CreatedAt)
		return err
	})
	return r, err
}

// errGone: the policy keeps documents longer than keys, so it does not happen while both are swept by one clock.
var errGone = errors.New("paymentrequest: its document was swept away")

func (s *Service) byID(ctx context.Context, account, id models.ID) (r Request, err error) {
	r.AccountID, r.ID = account, id
	found, err := s.DB.QueryRow(ctx, []any{&r.Number, &r.Currency, &r.Total, &r.FileID, &r.ValidUntil, &r.CreatedBy, &r.CreatedAt},
		"SELECT number, currency, total, file_id, valid_until, created_by, created_at FROM payment_requests WHERE account_id = ? AND id = ?", account, id)
	if err == nil && found {
		r.Document, found, err = s.Files.ByID(ctx, account, r.FileID)
	}
	if err == nil && !found {
		err = errGone
	}
	return r, err
}

// numberAlphabet is base32 without look-alikes: people read such numbers out.
const numberAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// newNumber is "PR", the day and 50 random bits.
func newNumber(now time.Time) string {
	b := make([]byte, 10)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	for i := range b {
		b[i] = numberAlphabet[b[i]&31]
	}
	return "PR" + now.Format("20060102") + string(b)
}
