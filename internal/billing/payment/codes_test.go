package payment_test

import (
	"context"
	"sync"

	"paydesk/internal/billing/fault"
	"paydesk/internal/billing/verification"
	"paydesk/models"
)

// codes stand in for verification.Service, which has tests of its own: what a payment asks of it is seen here.
type codes struct {
	mu     sync.Mutex
	wanted bool
	right  string
	checks []verification.Use
	spent  int
}

func (c *codes) Wanted(models.Account) bool { return c.wanted }

func (c *codes) Check(_ context.Context, u verification.Use) (verification.Proof, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checks = append(c.checks, u)
	switch u.Code {
	case c.right:
		return verification.Proof{}, nil
	case "":
		return verification.Proof{}, fault.New("VERIFICATION_REQUIRED", "input", "verificationCode")
	}
	return verification.Proof{}, fault.New("VERIFICATION_FAILED", "input", "verificationCode")
}

func (c *codes) Spend(context.Context, verification.Proof) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.spent++
	return nil
}
