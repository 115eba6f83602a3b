package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"paydesk/internal/platform/testenv"
)

// TestReconnect ends the server under open subscriptions of every client, in two ways. While it is away, another instance
// changes what they follow. Once it is back they get the newest state, once, and none hears of an error.
func TestReconnect(t *testing.T) {
	needNode(t)
	relay := relayArtifacts(t)
	home := testenv.MySQL(t)
	beside := start(t, homeEnv(home), options{})
	for _, way := range []struct {
		name string
		end  func(t testing.TB, s *server)
		code int // that sockets are closed with
	}{
		{"SIGTERM", func(t testing.TB, s *server) { s.stop(t) }, 1001},
		{"SIGKILL", func(t testing.TB, s *server) { _ = s.cmd.Process.Kill(); s.awaitKilled(t) }, 1006},
	} {
		t.Run(way.name, func(t *testing.T) {
			at := options{listen: freeAddress(t)}
			s := launch(t, homeEnv(home), at)
			s.awaitReady(t)
			c := beside.customer(t)
			waiting := c.waiting(t, "30.00")
			var followers []*follower
			for _, library := range libraries {
				followers = append(followers, follow(t, relay, library, s.URL, c.token, waiting.ID))
			}
			for _, f := range followers {
				f.await(t, happening{Balance: "0.00"})
				f.await(t, happening{Payment: "REQUIRES_ACTION"})
			}

			way.end(t, s)
			c.charge(t, "ALIPAY", "40.00")
			if err := payer(waiting.NextAction.Content, "succeed"); err != nil {
				t.Fatal(err)
			}
			c.awaitStatus(t, waiting.ID, "SUCCEEDED")
			start(t, homeEnv(home), at)

			for _, f := range followers {
				f.await(t, happening{Balance: "70.00"})
				f.await(t, happening{Payment: "SUCCEEDED"})
				f.await(t, happening{Complete: "payment"})
			}
			c.charge(t, "ALIPAY", "5.00") // whatever came twice has come before this
			for _, f := range followers {
				f.await(t, happening{Balance: "75.00"})
				f.check(t, way.code)
			}
		})
	}
}

// waiting is a top-up that waits for its payer.
func (c *customer) waiting(t testing.TB, amount string) payment {
	t.Helper()
	r, err := c.topUp(unique("waiting"), "ALIPAY", amount)
	return started(t, r, err)
}

// happening is a line of follow.mjs.
type happening struct {
	Balance    string // the available amount
	Payment    string // its status
	Version    int
	Complete   string // which subscription came to its end
	Error      string
	Connection string // "connected", "closed"
	Code       int    // of closed
}

// follower is a client that follows a balance and a payment.
type follower struct {
	library string
	input   io.Closer
	ended   chan error

	mu   sync.Mutex
	seen []happening
}

// follow starts a client; it ends with the test at the latest.
func follow(t testing.TB, env, library, base, token, paymentID string) *follower {
	t.Helper()
	cmd := exec.Command("node", "clients/follow.mjs", library, base, token, paymentID)
	cmd.Env, cmd.Stderr = append(os.Environ(), env), os.Stderr
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	lines, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	f := &follower{library: library, input: input, ended: make(chan error, 1)}
	go func() {
		for s := bufio.NewScanner(lines); s.Scan(); {
			h := happening{Error: "not JSON: " + s.Text()}
			if strings.HasPrefix(s.Text(), "{") {
				h = happening{}
				_ = json.Unmarshal(s.Bytes(), &h)
			}
			f.mu.Lock()
			f.seen = append(f.seen, h)
			f.mu.Unlock()
		}
		f.ended <- cmd.Wait()
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		if t.Failed() {
			t.Logf("%s saw %+v", library, f.all())
		}
	})
	return f
}

func (f *follower) all() []happening {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.seen)
}

// await waits for a happening, whatever its version; an error ends the test.
func (f *follower) await(t testing.TB, want happening) {
	t.Helper()
	await(t, readyWithin, fmt.Sprintf("%s sees %+v", f.library, want), func() (bool, error) {
		for _, h := range f.all() {
			if h.Error != "" {
				t.Fatalf("%s: %s", f.library, h.Error)
			}
			h.Version = 0
			if h == want {
				return true, nil
			}
		}
		return false, nil
	})
}

// check ends the client and judges all that it saw: each state once, versions that grow, one end, and for sockets why
// their first connection ended.
func (f *follower) check(t testing.TB, code int) {
	t.Helper()
	_ = f.input.Close()
	if err := <-f.ended; err != nil {
		t.Errorf("%s: %v", f.library, err)
	}
	var balances, payments []string
	var closes []int
	completed, versions := 0, map[string]int{}
	grows := func(what string, version int) {
		if last, ok := versions[what]; ok && version <= last {
			t.Errorf("%s: version %d of the %s after %d", f.library, version, what, last)
		}
		versions[what] = version
	}
	for _, h := range f.all() {
		switch {
		case h.Error != "":
			t.Errorf("%s: %s", f.library, h.Error)
		case h.Balance != "":
			balances = append(balances, h.Balance)
			grows("balance", h.Version)
		case h.Payment != "":
			payments = append(payments, h.Payment)
			grows("payment", h.Version)
		case h.Connection == "closed":
			closes = append(closes, h.Code)
		case h.Complete == "payment":
			completed++
		}
	}
	if want := []string{"0.00", "70.00", "75.00"}; !slices.Equal(balances, want) {
		t.Errorf("%s: balances %v, want %v", f.library, balances, want)
	}
	if want := []string{"REQUIRES_ACTION", "SUCCEEDED"}; !slices.Equal(payments, want) {
		t.Errorf("%s: the payment was %v, want %v", f.library, payments, want)
	}
	if f.library != "graphql-sse" && (len(closes) == 0 || closes[0] != code) {
		t.Errorf("%s: closed with %v, want %d first", f.library, closes, code)
	}
	if completed != 1 {
		t.Errorf("%s: the payment's subscription ended %d times", f.library, completed)
	}
}
