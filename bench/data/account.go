package data

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"paydesk/models"
)

const currency = "CNY"

// opening is what an account begins with, in minor units: enough for any number of payments.
const opening = int64(1_000_000_000_000)

const (
	accountColumns = "accounts (id, number, name, kind, status, region, country, signing_entity, currency, identity, real_name, email, phone, partner_id, " +
		"automatic_settlement, operation_protection, dedicated_account_number, running_resources, created_at, updated_at)"
	balanceColumns = "balances (account_id, currency, cash, code_money, frozen, credit_limit, credit_used, version, updated_at)"
	postingColumns = "postings (account_id, id, entry_id, reference, leg, book, kind, currency, amount, seq, cash_after, code_money_after, frozen_after, credit_used_after, payment_id, order_id, posted_at)"
)

// history is an account while it is written: what it has and how often that changed.
type history struct {
	w       *writer
	r       *rand.Rand
	account models.ID
	index   int
	cash    int64
	version int64
	numbers int
}

// account writes account i with all that belongs to it.
func (s *Set) account(ctx context.Context, w *writer, i int) error {
	h := &history{w: w, r: rand.New(rand.NewPCG(seed, uint64(i)+1)), account: s.Accounts[i], index: i}
	at := s.opened(i)
	err := w.row(ctx, accountColumns, h.account, fmt.Sprintf("A%08d", i), fmt.Sprintf("Customer %05d Ltd", i), "ENTERPRISE", "ACTIVE", "mainland", "CN", "mainland", currency, "VERIFIED",
		fmt.Sprintf("Customer %05d Ltd", i), "", "", nil, 0, 0, fmt.Sprintf("62%014d", i), 0, at, at)
	if err != nil {
		return err
	}
	if err := h.post(ctx, "opening", "opening", models.KindAdjustment, opening, models.ID{}, models.ID{}, at); err != nil {
		return err
	}
	if err := s.orders(ctx, h); err != nil {
		return err
	}
	credit := int64(0)
	if i%10 == 0 {
		credit = 5_000_000
	}
	return w.row(ctx, balanceColumns, h.account, currency, h.cash, 0, 0, credit, 0, h.version, s.Made)
}

// post books an entry with its two legs, as ledger.Ledger does, and moves the balance.
func (h *history) post(ctx context.Context, reference, book string, kind models.TransactionKind, amount int64, payment, order models.ID, at time.Time) error {
	entry := idAt(at, h.r)
	h.cash += amount
	h.version++
	err := h.w.row(ctx, postingColumns, h.account, idAt(at, h.r), entry, reference, 0, book, string(kind), currency, -amount, nil, 0, 0, 0, 0, payment, order, at)
	if err != nil {
		return err
	}
	return h.w.row(ctx, postingColumns, h.account, idAt(at, h.r), entry, reference, 1, models.BookCustomer, string(kind), currency, amount, h.version, h.cash, 0, 0, 0, payment, order, at)
}
