// Command bench measures paydesk against the limit: hand-written Go on the same MariaDB that does the same work and answers
// the same bytes (see limit). Both are processes of their own, asked over HTTP in turns, round by round; what counts are
// ratios, medians of rounds and the servers' CPU, because machines are noisy.
//
//	go run ./bench          all operations, 1, 16 and 64 clients, about a quarter of an hour
//	go run ./bench -smoke   little data, one short round each: that the answers are right
//
// It ends with 1 where an answer, a row or the ledger is wrong, never because of a slow number.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"paydesk/bench/data"
)

// config is what the flags say.
type config struct {
	size     data.Size
	rounds   int
	seconds  float64
	clients  []int
	ops      string // comma-separated prefixes; empty: all
	targets  []string
	database string // an existing server and database; empty: a private one is started
	redis    string
	binary   string // paydesk's; empty: it is built
	gogc     string
	profile  string
}

func main() {
	c, err := flags(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err = run(ctx, c)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func flags(args []string) (config, error) {
	c := config{size: data.Full}
	f := flag.NewFlagSet("bench", flag.ExitOnError)
	smoke := f.Bool("smoke", false, "little data and one round of a second: 200 accounts, 5,000 orders")
	accounts := f.Int("accounts", 0, "accounts, 20,000 by default")
	orders := f.Int("orders", 0, "orders, 1,000,000 by default")
	f.IntVar(&c.rounds, "rounds", 7, "rounds of each operation; the median counts")
	f.Float64Var(&c.seconds, "seconds", 3, "length of a round for each server")
	clients := f.String("clients", "1,16,64", "numbers of clients")
	f.StringVar(&c.ops, "ops", "", "operations by the beginnings of their names, comma-separated: home, orders, pay; all by default")
	targets := f.String("targets", "paydesk,limit,hot-last,bare", "servers, the first is compared with the others")
	f.StringVar(&c.database, "database", "", "mysql:// URL with a name to use instead of a private MariaDB; filled where it has no data yet")
	f.StringVar(&c.redis, "redis", "", "redis:// URL to use instead of a private Redis")
	f.StringVar(&c.binary, "binary", "", "paydesk's binary; by default it is built")
	f.StringVar(&c.gogc, "gogc", "", "GOGC of paydesk; by default as shipped")
	f.StringVar(&c.profile, "profile", "", "folder for CPU and allocation profiles of paydesk, one of each for each operation and number of clients")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	set := map[string]bool{}
	f.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if *smoke {
		c.size = data.Smoke
		for name, value := range map[string]func(){"rounds": func() { c.rounds = 1 }, "seconds": func() { c.seconds = 1 }, "clients": func() { *clients = "4" }} {
			if !set[name] {
				value()
			}
		}
	}
	if *accounts > 0 {
		c.size.Accounts = *accounts
	}
	if *orders > 0 {
		c.size.Orders = *orders
	}
	c.targets = strings.Split(*targets, ",")
	for text := range strings.SplitSeq(*clients, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return c, fmt.Errorf("-clients %q: whole numbers above zero", *clients)
		}
		c.clients = append(c.clients, n)
	}
	return c, nil
}

func run(ctx context.Context, c config) error {
	h, err := setUp(ctx, c)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.check(ctx); err != nil {
		return fmt.Errorf("the servers do not answer alike: %w", err)
	}
	fmt.Println("answers: the same bytes; payments: the same rows")
	results, err := h.measure(ctx)
	if err != nil {
		return err
	}
	report(os.Stdout, h, results)
	begin := time.Now()
	if err := h.audit(ctx); err != nil {
		return err
	}
	fmt.Printf("audit: clean (%.0f s), payments: as many as were answered\n", time.Since(begin).Seconds())
	return nil
}
