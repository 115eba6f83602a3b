package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"paydesk/bench/load"
	"paydesk/internal/money"
)

func decimal(minor int64) string { return money.New(minor, "CNY").Decimal() }

// sample is one round at one server.
type sample struct {
	load.Result
	cpu   time.Duration // of the server, a request
	dbCPU time.Duration // of MariaDB, a request
}

// result is an operation at a number of clients, or what it costs.
type result struct {
	operation
	clients int
	samples map[string][]sample // by target, one for each round
	costs   map[string]cost     // by target; with one client only
}

// cost is what one operation takes at a server.
type cost struct {
	statements     float64 // round trips that MariaDB counted
	mallocs, bytes float64 // of the server's Go heap; negative where the server does not tell
}

func (h *harness) wanted(o operation) bool {
	if h.ops == "" {
		return true
	}
	for prefix := range strings.SplitSeq(h.ops, ",") {
		if strings.HasPrefix(o.name, prefix) {
			return true
		}
	}
	return false
}

func (h *harness) measure(ctx context.Context) (out []result, err error) {
	for _, o := range h.operations() {
		if !h.wanted(o) {
			continue
		}
		for _, n := range h.clients {
			fmt.Fprintf(os.Stderr, "%s, %d clients …\n", o.name, n)
			r, err := h.rounds(ctx, o, n)
			if err != nil {
				return nil, err
			}
			out = append(out, r)
		}
		r := result{operation: o, costs: map[string]cost{}}
		for _, t := range h.takers(o) {
			if r.costs[t.name], err = h.cost(ctx, o, t); err != nil {
				return nil, err
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func (h *harness) takers(o operation) (list []*target) {
	for _, t := range h.targets {
		if strings.HasPrefix(o.name, t.only) {
			list = append(list, t)
		}
	}
	return list
}

// atMost is more than any server here pays in a second; the stock is filled for it after the first round told the rate.
const atMost = 4000

// rounds lets the servers take turns, each round beginning with another one.
func (h *harness) rounds(ctx context.Context, o operation, clients int) (result, error) {
	r := result{operation: o, clients: clients, samples: map[string][]sample{}}
	if o.atMost == 0 {
		o.atMost = atMost
	}
	takers, most := h.takers(o), int(h.seconds*float64(o.atMost))
	conns := map[string][]*load.Conn{}
	for _, t := range takers {
		list, err := dial(t.addr, clients)
		if err != nil {
			return r, err
		}
		defer hangUp(list)
		conns[t.name] = list
		if _, err := h.round(ctx, o, t, list, 0.2, most); err != nil { // warm up
			return r, err
		}
	}
	if h.profile != "" && takers[0].name == "paydesk" { // a round of its own: it does not count
		done := make(chan struct{})
		go func() { defer close(done); h.profileOf(ctx, o, clients) }()
		if _, err := h.round(ctx, o, takers[0], conns[takers[0].name], h.seconds+0.5, most+o.atMost/2); err != nil {
			return r, err
		}
		<-done
	}
	fastest := 0.0
	for i := range h.config.rounds {
		for j := range takers {
			t := takers[(i+j)%len(takers)]
			if fastest > 0 {
				most = int(fastest * h.seconds * 2)
			}
			s, err := h.round(ctx, o, t, conns[t.name], h.seconds, most)
			if err != nil {
				return r, fmt.Errorf("%s: %s: %w", t.name, o.name, err)
			}
			fastest = max(fastest, s.PerSecond())
			r.samples[t.name] = append(r.samples[t.name], s)
		}
	}
	return r, nil
}

func dial(addr string, n int) (list []*load.Conn, err error) {
	for range n {
		c, err := load.Dial(addr)
		if err != nil {
			hangUp(list)
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func hangUp(list []*load.Conn) {
	for _, c := range list {
		_ = c.Close()
	}
}

func (h *harness) round(ctx context.Context, o operation, t *target, conns []*load.Conn, seconds float64, most int) (sample, error) {
	if err := ctx.Err(); err != nil {
		return sample{}, err
	}
	source, err := o.source(ctx, t, most)
	if err != nil {
		return sample{}, err
	}
	server, db := cpu(t.pid), cpu(h.dbPID)
	res, err := load.Run(conns, source, time.Duration(seconds*float64(time.Second)))
	if err != nil {
		return sample{}, err
	}
	if res.Requests == 0 {
		return sample{}, fmt.Errorf("no request was answered")
	}
	if o.pays { // the rest of a payment's work counts too, and must not fall into the next server's turn
		if err := h.outboxEmpty(ctx); err != nil {
			return sample{}, err
		}
	}
	n := time.Duration(res.Requests)
	return sample{res, (cpu(t.pid) - server) / n, (cpu(h.dbPID) - db) / n}, nil
}

// cost runs an operation with one client for a moment and asks MariaDB and the server what it took.
func (h *harness) cost(ctx context.Context, o operation, t *target) (cost, error) {
	list, err := dial(t.addr, 1)
	if err != nil {
		return cost{}, err
	}
	defer hangUp(list)
	if o.atMost == 0 {
		o.atMost = atMost
	}
	if _, err := o.source(ctx, t, o.atMost); err != nil { // so that no order is placed while we count
		return cost{}, err
	}
	statements, err := h.questions(ctx)
	if err != nil {
		return cost{}, err
	}
	mallocs, bytes := t.heap()
	s, err := h.round(ctx, o, t, list, min(1, h.seconds/3), 0)
	if err != nil {
		return cost{}, err
	}
	after, err := h.questions(ctx)
	if err != nil {
		return cost{}, err
	}
	m2, b2 := t.heap()
	n := float64(s.Requests)
	c := cost{float64(after-statements-1) / n, (m2 - mallocs) / n, (b2 - bytes) / n}
	if mallocs < 0 {
		c.mallocs, c.bytes = -1, -1
	}
	return c, nil
}

// questions is how many statements MariaDB was sent; preparations do not count.
func (h *harness) questions(ctx context.Context) (n int64, err error) {
	var name string
	err = h.db.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Questions'").Scan(&name, &n)
	return n, err
}

var goMetric = regexp.MustCompile(`(?m)^go_memstats_(mallocs|alloc_bytes)_total(?:\{[^}]*\})? ([0-9.e+]+)$`)

// heap is how many objects and bytes a server has allocated since its start; -1 where it does not tell.
func (t *target) heap() (mallocs, size float64) {
	if body, ok := t.get("/mallocs"); ok {
		f := bytes.Fields(body)
		mallocs, _ = strconv.ParseFloat(string(f[0]), 64)
		size, _ = strconv.ParseFloat(string(f[1]), 64)
		return mallocs, size
	}
	mallocs, size = -1, -1
	if body, ok := t.get("/metrics"); ok {
		for _, m := range goMetric.FindAllSubmatch(body, -1) {
			v, _ := strconv.ParseFloat(string(m[2]), 64)
			if string(m[1]) == "mallocs" {
				mallocs = v
			} else {
				size = v
			}
		}
	}
	return mallocs, size
}

func (t *target) get(path string) ([]byte, bool) {
	c, err := load.Dial(t.addr)
	if err != nil {
		return nil, false
	}
	defer c.Close()
	status, body, err := c.Do([]byte("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))
	return body, err == nil && status == 200 && len(bytes.Fields(body)) > 1
}

// median of a list; it is sorted.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	if n := len(list); n%2 == 0 {
		return (list[n/2-1] + list[n/2]) / 2
	}
	return list[len(list)/2]
}
