package verification

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"paydesk/internal/money"
	"paydesk/models"
)

// newest reads the code that counts: a new one replaces those before it.
func (s *Service) newest(ctx context.Context, account models.ID, user string, scene models.VerificationScene) (c models.VerificationCode, found bool, err error) {
	found, err = s.DB.QueryRow(ctx, []any{&c.AccountID, &c.ID, &c.UserID, (*string)(&c.Scene), (*string)(&c.Kind), &c.Hash, &c.Terms, &c.Tries, &c.CreatedAt, &c.ExpiresAt, &c.UsedAt},
		"SELECT account_id, id, user_id, scene, kind, hash, terms, tries, created_at, expires_at, used_at FROM verification_codes "+
			"WHERE account_id = ? AND user_id = ? AND scene = ? ORDER BY created_at DESC, id DESC LIMIT 1", account, user, string(scene))
	return c, found, err
}

// sentCode is a code that was sent.
type sentCode struct {
	*Service
	models.VerificationCode
	use Use
}

func (c *sentCode) charge(ctx context.Context) (bool, error) {
	n, err := c.DB.Exec(ctx, "UPDATE verification_codes SET tries = tries + 1 WHERE account_id = ? AND id = ? AND tries < ?", c.AccountID, c.ID, c.Policy.Protection.Codes.WrongTries)
	return n > 0, err
}

func (c *sentCode) refund(ctx context.Context) error {
	_, err := c.DB.Exec(ctx, "UPDATE verification_codes SET tries = tries - 1 WHERE account_id = ? AND id = ? AND tries > 0", c.AccountID, c.ID)
	return err
}

func (c *sentCode) fits(given string) (Proof, bool) {
	right := hmac.Equal(c.Hash, c.hash(c.ID, c.UserID, given))
	return Proof{account: c.AccountID, code: c.ID, kind: c.Kind}, right && c.agrees()
}

// agrees reports whether the code was asked for with these orders and amounts, with one of the two, or with neither.
func (c *sentCode) agrees() bool {
	return c.Terms == nil || hmac.Equal(c.Terms, terms(c.use.OrderIDs)) || hmac.Equal(c.Terms, terms(nil, c.use.Balance, c.use.Online)) ||
		hmac.Equal(c.Terms, terms(c.use.OrderIDs, c.use.Balance, c.use.Online))
}

// hash is what is kept of a code: six digits are soon tried out, so it is keyed and differs from row to row.
func (s *Service) hash(id models.ID, user, code string) []byte {
	return s.Seal.Hash("verification code", id.String(), user, code)
}

// terms is a fingerprint of orders, in whatever order they are named, and of the balance's and the channel's part, where they are.
func terms(orders []models.ID, parts ...money.Money) []byte {
	sorted := slices.Clone(orders)
	slices.SortFunc(sorted, func(a, b models.ID) int { return cmp.Compare(a.String(), b.String()) })
	h := sha256.New()
	for _, id := range slices.Compact(sorted) {
		h.Write([]byte(id.String() + "\n"))
	}
	for _, p := range parts {
		h.Write([]byte(p.Currency))
		_ = binary.Write(h, binary.BigEndian, p.Minor) // a hash takes everything
	}
	return h.Sum(nil)
}
