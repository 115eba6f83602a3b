package main

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"paydesk/bench/data"
	"paydesk/bench/load"
	"paydesk/internal/platform/auth"
	"paydesk/internal/platform/page"
	"paydesk/models"
)

// target is a server under measurement.
type target struct {
	*process
	name  string
	face  face
	only  string // beginning of the names of the operations it takes part in; empty: all
	reads map[string][]exchange
}

// exchange is a request whose answer never changes.
type exchange struct{ request, want []byte }

// operation is one row of the report.
type operation struct {
	name string
	goal map[string]float64 // at 16 clients, by the target it is compared with
	// cpuGoal is the same for the CPU of a request: the other's to ours.
	cpuGoal map[string]float64
	// source makes the requests of one run; n is how many there may be at most, for what is used up.
	source func(ctx context.Context, t *target, n int) (load.Source, error)
	pays   bool
	atMost int // more than any server here answers in a second; zero: atMost
}

// operations of performance.md, with the goals of this part of the work.
func (h *harness) operations() []operation {
	read := func(name string) func(context.Context, *target, int) (load.Source, error) {
		return func(_ context.Context, t *target, _ int) (load.Source, error) {
			return &fixed{list: t.reads[name]}, nil
		}
	}
	pay := func(name string) func(context.Context, *target, int) (load.Source, error) {
		return func(ctx context.Context, t *target, n int) (load.Source, error) {
			return &payments{h: h, face: t.face, stock: h.stock[name]}, h.stock[name].fill(ctx, h, n)
		}
	}
	merge := func(ctx context.Context, t *target, n int) (load.Source, error) {
		return &merges{h: h, face: t.face}, h.fillBaskets(ctx, n)
	}
	return []operation{
		{name: readHome, goal: map[string]float64{"limit": 0.40}, cpuGoal: map[string]float64{"bare": 1 / 1.05}, source: read(readHome)},
		{name: readFirst, goal: map[string]float64{"limit": 0.25}, source: read(readFirst)},
		{name: readDeep, goal: map[string]float64{"limit": 0.25}, source: read(readDeep)},
		{name: payMany, goal: map[string]float64{"limit": 0.65}, source: pay(payMany), pays: true},
		{name: payHot, goal: map[string]float64{"limit": 0.9}, source: pay(payHot), pays: true},
		{name: payMerged, goal: map[string]float64{"limit": 0.65}, source: merge, pays: true, atMost: 250},
	}
}

// Names of the operations.
const (
	payOnly   = "pay" // what the names of those that pay begin with
	readHome  = "home"
	readFirst = "orders, first page"
	readDeep  = "orders, deep page"
	payMany   = "pay, many accounts"
	payHot    = "pay, one hot account"
	payMerged = "mergePay, 30 orders"
)

// fixed asks the same requests in turn.
type fixed struct {
	list []exchange
	next atomic.Int64
}

func (f *fixed) Next([]byte) ([]byte, func(int, []byte) bool, bool) {
	x := &f.list[int(f.next.Add(1))%len(f.list)]
	return x.request, x.fits, true
}

func (x *exchange) fits(status int, body []byte) bool {
	return status == 200 && bytes.Equal(body, x.want)
}

// payments pays orders from the stock, each once.
type payments struct {
	h     *harness
	face  face
	stock *stock
}

var paid = []byte(`"status":"SUCCEEDED"`)

func (p *payments) Next(b []byte) ([]byte, func(int, []byte) bool, bool) {
	w, ok := p.stock.take()
	if !ok {
		return nil, nil, false
	}
	return p.face.pay(b, p.h.tokens[w.Account], "bench-"+w.Order.String(), w), p.succeeded, true
}

func (p *payments) succeeded(status int, body []byte) bool {
	if status != 200 || !bytes.Contains(body, paid) {
		return false
	}
	atomic.AddInt64(&p.h.paid, 1)
	return true
}

// stock are orders that wait to be paid.
type stock struct {
	accounts []models.ID
	list     []data.Waiting
	next     atomic.Int64
}

func (s *stock) take() (data.Waiting, bool) {
	i := int(s.next.Add(1)) - 1
	if i >= len(s.list) {
		return data.Waiting{}, false
	}
	return s.list[i], true
}

// fill sees to it that at least n orders are there.
func (s *stock) fill(ctx context.Context, h *harness, n int) error {
	s.list = s.list[min(int(s.next.Load()), len(s.list)):]
	s.next.Store(0)
	if missing := n - len(s.list); missing > 0 {
		more, err := data.Place(ctx, h.db, s.accounts, max(missing, 2*len(s.accounts), 1000))
		if err != nil {
			return err
		}
		s.list = append(s.list, more...)
	}
	return nil
}

// payers is how many accounts pay in turn, readers how many homes are read, at most.
const (
	payers  = 10_000
	readers = 500
)

// prepare signs a token for every account in use and builds the requests that read.
func (h *harness) prepare() error {
	many := h.set.Payers()
	many = many[:min(payers, len(many))]
	h.stock[payMany], h.stock[payHot] = &stock{accounts: many}, &stock{accounts: []models.ID{h.set.Hot()}}
	homes := h.set.Readers()
	homes = homes[:min(readers, len(homes))]
	for _, list := range [][]models.ID{many, {h.set.Hot()}, homes, h.set.Large()} {
		for _, account := range list {
			token, err := h.issuer.Issue(auth.Viewer{UserID: "bench", Name: "Bench", Role: auth.Finance, AccountID: account, Locale: "en"}, 24*time.Hour)
			if err != nil {
				return err
			}
			h.tokens[account] = token
		}
	}
	for _, t := range h.targets {
		t.reads = map[string][]exchange{}
		for _, account := range homes {
			t.reads[readHome] = append(t.reads[readHome], exchange{request: t.face.home(nil, h.tokens[account])})
		}
	}
	for _, account := range h.set.Large() {
		after, err := h.deep(account)
		if err != nil {
			return err
		}
		for _, t := range h.targets {
			t.reads[readFirst] = append(t.reads[readFirst], exchange{request: t.face.orders(nil, h.tokens[account], "")})
			t.reads[readDeep] = append(t.reads[readDeep], exchange{request: t.face.orders(nil, h.tokens[account], after)})
		}
	}
	return nil
}

// deep is a cursor that nine tenths of an account's orders lie before.
func (h *harness) deep(account models.ID) (string, error) {
	c := page.Cursor{Sort: 'c'}
	var at time.Time
	err := h.db.QueryRow("SELECT created_at, id FROM orders WHERE account_id = ? ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET ?", account, h.size.LargeEach*9/10).Scan(&at, &c.ID)
	if err != nil {
		return "", fmt.Errorf("deep cursor: %w", err)
	}
	c.Key = at.UnixMicro()
	return c.String(), nil
}
