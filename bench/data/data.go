// Package data fills a database with accounts, balances, orders and payments as paydesk itself would have written them, large
// enough to hurt: the same columns, the same JSON, ledger and timeline included, so that `audit` finds nothing. The same Size
// gives the same data but for the times, which end now.
package data

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"paydesk/models"
)

// Size says how much is made.
type Size struct {
	Accounts  int // in all, the hot one and the large ones included
	Orders    int // in all, spread over the accounts
	Large     int // accounts with LargeEach orders: long lists for pages that lie deep
	LargeEach int
}

// Full is 20,000 accounts with 1,000,000 orders; Smoke is what a CI run can afford.
var (
	Full  = Size{Accounts: 20_000, Orders: 1_000_000, Large: 20, LargeEach: 5_000}
	Smoke = Size{Accounts: 200, Orders: 5_000, Large: 1, LargeEach: 400}
)

// each is how many orders an ordinary account has.
func (s Size) each() int { return max(1, (s.Orders-s.Large*s.LargeEach)/max(1, s.Accounts-s.Large-1)) }

// Set is what was made. The index of an account decides what it is for: 0 is the hot one, then come the large ones, then
// those that pay (half of the rest), then those whose home is read.
type Set struct {
	Size
	Accounts []models.ID
	Made     time.Time // "now" of the data: everything was created before it
}

// Hot is the account that all pay from at once.
func (s *Set) Hot() models.ID { return s.Accounts[0] }

// Large are the accounts with long lists.
func (s *Set) Large() []models.ID { return s.Accounts[1 : 1+s.Size.Large] }

// Payers are the accounts that pay; at least 20 orders of each wait to be paid.
func (s *Set) Payers() []models.ID { return s.ordinary()[:len(s.ordinary())/2] }

// Readers are the accounts whose home is read; at least 20 orders of each wait to be paid.
func (s *Set) Readers() []models.ID { return s.ordinary()[len(s.ordinary())/2:] }

func (s *Set) ordinary() []models.ID { return s.Accounts[1+s.Size.Large:] }

// seed makes two runs alike.
const seed = 20261121

// period is how far back the data reach.
const period = 180 * 24 * time.Hour

// Plan names the accounts without writing anything.
func Plan(size Size, now time.Time) *Set {
	s := &Set{Size: size, Accounts: make([]models.ID, size.Accounts), Made: now.UTC().Truncate(time.Second)}
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range s.Accounts {
		s.Accounts[i] = idAt(s.opened(i), r)
	}
	return s
}

// opened is when account i was opened: one after the other, all before the first order.
func (s *Set) opened(i int) time.Time {
	return s.Made.Add(-period - time.Duration(s.Size.Accounts-i)*time.Second)
}

// idAt is a UUIDv7 (RFC 9562) of a moment in the past.
func idAt(t time.Time, r *rand.Rand) (id models.ID) {
	ms, a, b := uint64(t.UnixMilli()), r.Uint64(), r.Uint64()
	for i := range 6 {
		id[i] = byte(ms >> (40 - 8*i))
	}
	for i := range 8 {
		id[8+i] = byte(b >> (8 * i))
	}
	id[6], id[7] = 0x70|byte(a&15), byte(a>>8)
	id[8] = 0x80 | id[8]&0x3f
	return id
}

// Write writes the set into an empty, migrated database, one connection for each CPU and one more.
func (s *Set) Write(ctx context.Context, db *sql.DB) error {
	workers := runtime.GOMAXPROCS(0) + 1
	next := make(chan int)
	errs := make(chan error, workers)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wait sync.WaitGroup
	for range workers {
		wait.Go(func() {
			if err := s.worker(ctx, db, next); err != nil {
				errs <- err
				cancel()
			}
		})
	}
feed:
	for i := range s.Accounts {
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wait.Wait()
	select {
	case err := <-errs:
		return fmt.Errorf("data: %w", err)
	default:
		return ctx.Err()
	}
}

func (s *Set) worker(ctx context.Context, db *sql.DB, next <-chan int) error {
	w, err := newWriter(ctx, db)
	if err != nil {
		return err
	}
	defer w.close()
	for i := range next {
		if err := s.account(ctx, w, i); err != nil {
			return err
		}
	}
	return w.flush(ctx)
}
