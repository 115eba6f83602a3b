package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"paydesk/internal/platform/testenv"
)

const (
	cutSockets  = 1000 // open subscriptions on sockets that are cut without a close
	cutStreams  = 50   // and on event streams
	cutPerUser  = 35   // of the 50 that one user may hold
	cutWithin   = 60 * time.Second
	heardWithin = time.Second
	// strays are goroutines that come and go without us: idle connections to the stores, the runtime's own.
	strays = 15
)

// TestSocketsCutWithoutAClose: half of a thousand subscriptions are reset, half fall silent, as after a pulled cable. With
// the default settings nothing of them is left within a minute, and meanwhile somebody else hears of each change at once.
func TestSocketsCutWithoutAClose(t *testing.T) {
	t.Parallel()
	home := testenv.MySQL(t)
	s := start(t, homeEnv(home), options{})
	lin := s.customer(t)
	waiting := lin.waiting(t, "30.00")

	web.CloseIdleConnections() // each is a goroutine of the server's
	before := look(t, s, home)
	t.Logf("before: %+v", before)

	crowd := &crowd{s: s, account: lin.AccountID, payment: waiting.ID}
	crowd.gather(t)
	full := look(t, s, home)
	t.Logf("with all: %+v", full)
	if before.Redis == 0 || full.Redis != before.Redis || full.Sockets != cutSockets || full.Subscriptions != cutSockets+cutStreams || full.Goroutines < before.Goroutines+cutSockets {
		t.Fatalf("not everybody is there: %+v", full)
	}

	cut := time.Now()
	crowd.cut(t)
	hears(t, s, lin) // while five hundred are silent
	after := settle(t, s, home, before)
	t.Logf("after %v: %+v", time.Since(cut).Round(time.Second), after)
	if took := time.Since(cut); took > cutWithin {
		t.Errorf("took %v", took)
	}
}

// figures are what sockets could leave behind.
type figures struct {
	// Goroutines without those of pooled connections to the database, which stay: each has one.
	Goroutines, Sockets, Subscriptions int
	Redis                              int // subscriptions of the server's in Redis
}

func look(t *testing.T, s *server, home testenv.Home) figures {
	t.Helper()
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(s.URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var f figures
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		metric, value, _ := strings.Cut(lines.Text(), " ")
		for name, into := range map[string]*int{"go_goroutines": &f.Goroutines, "paydesk_websockets": &f.Sockets, "paydesk_subscriptions": &f.Subscriptions} {
			if metric == name {
				n, _ := strconv.ParseFloat(value, 64)
				*into += int(n)
			}
		}
		if strings.HasPrefix(metric, "paydesk_database_connections{") {
			n, _ := strconv.ParseFloat(value, 64)
			f.Goroutines -= int(n)
		}
	}
	list, err := home.Redis.ClientList(t.Context()).Result()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(list) {
		if !strings.Contains(line, " db="+path.Base(home.RedisURL)+" ") { // another test's
			continue
		}
		for field := range strings.FieldsSeq(line) {
			kind, n, _ := strings.Cut(field, "=")
			if kind == "sub" || kind == "psub" || kind == "ssub" {
				subscriptions, _ := strconv.Atoi(n)
				f.Redis += subscriptions
			}
		}
	}
	return f
}

// settle waits until the figures are those of before.
func settle(t *testing.T, s *server, home testenv.Home, before figures) (now figures) {
	t.Helper()
	web.CloseIdleConnections()
	await(t, cutWithin+5*time.Second, "everything is as before", func() (bool, error) {
		now = look(t, s, home)
		return now.Goroutines <= before.Goroutines+strays && now.Sockets == before.Sockets && now.Subscriptions == before.Subscriptions &&
			now.Redis == before.Redis, fmt.Errorf("%+v, before %+v", now, before)
	})
	return now
}

// crowd are the subscribers, half of what they watch a balance and half a payment.
type crowd struct {
	s                *server
	account, payment string

	mu               sync.Mutex
	sockets, streams []*net.TCPConn
}

// gather opens everything, a user's own at a time, and waits until each has its first event.
func (c *crowd) gather(t *testing.T) {
	t.Helper()
	var all sync.WaitGroup
	for first := 0; first < cutSockets+cutStreams; first += cutPerUser {
		var signed struct{ Token string }
		post(t, c.s.URL+"/dev/token", map[string]string{"role": "CREATOR", "accountId": c.account, "userId": unique("user")}, &signed)
		all.Go(func() {
			for i := first; i < min(first+cutPerUser, cutSockets+cutStreams); i++ {
				open := c.socket
				if i >= cutSockets {
					open = c.stream
				}
				if err := open(t.Context(), signed.Token, i); err != nil {
					t.Errorf("%d: %v", i, err)
					return
				}
			}
		})
	}
	all.Wait()
	t.Cleanup(func() {
		for _, conn := range slices.Concat(c.sockets, c.streams) {
			_ = conn.Close()
		}
	})
	if t.Failed() {
		t.FailNow()
	}
}

func (c *crowd) query(i int) string {
	if i%4 < 2 {
		return "subscription { balanceChanged { version } }"
	}
	return `subscription { paymentStatus(paymentId: "` + c.payment + `") { version } }`
}

// dialled is a client whose connection can be cut beneath it.
func (c *crowd) dialled(kept *[]*net.TCPConn) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil {
			c.mu.Lock()
			*kept = append(*kept, conn.(*net.TCPConn))
			c.mu.Unlock()
		}
		return conn, err
	}}}
}

func (c *crowd) socket(ctx context.Context, token string, i int) error {
	ws, _, err := websocket.Dial(ctx, c.s.URL+"/graphql", &websocket.DialOptions{HTTPClient: c.dialled(&c.sockets), Subprotocols: []string{"graphql-transport-ws"},
		HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
	if err != nil {
		return err
	}
	subscribe, _ := json.Marshal(map[string]any{"id": "1", "type": "subscribe", "payload": map[string]string{"query": c.query(i)}})
	for _, text := range []string{`{"type":"connection_init"}`, string(subscribe)} {
		if err := ws.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
			return err
		}
	}
	for _, want := range []string{`{"type":"connection_ack"}`, `{"id":"1","type":"next","payload":{"data":`} {
		if _, data, err := ws.Read(ctx); err != nil || !strings.HasPrefix(string(data), want) {
			return fmt.Errorf("%s %w", data, err)
		}
	}
	return nil // from here on it neither reads nor answers
}

func (c *crowd) stream(ctx context.Context, token string, i int) error {
	body, _ := json.Marshal(map[string]string{"query": c.query(i)})
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, c.s.URL+"/graphql", strings.NewReader(string(body)))
	r.Header = http.Header{"Authorization": {"Bearer " + token}, "Content-Type": {"application/json"}, "Accept": {"text/event-stream"}}
	res, err := c.dialled(&c.streams).Do(r)
	if err != nil {
		return err
	}
	b := make([]byte, 512)
	for heard := ""; !strings.Contains(heard, `data: {"data":`); {
		n, err := res.Body.Read(b)
		if heard += string(b[:n]); err != nil {
			return fmt.Errorf("%s: %w", heard, err)
		}
	}
	return nil
}

// cut resets every other socket and all streams; the rest stays silent for ever. (A stream whose reader is there and does not
// read cannot be told from one whose reader has nothing to do; one whose cable is pulled the kernel ends.)
func (c *crowd) cut(t *testing.T) {
	t.Helper()
	if len(c.sockets) != cutSockets || len(c.streams) != cutStreams {
		t.Fatal(len(c.sockets), len(c.streams))
	}
	for i, conn := range slices.Concat(c.sockets, c.streams) {
		if i < cutSockets && i%2 == 0 {
			continue
		}
		_ = conn.SetLinger(0) // a reset instead of a close
		_ = conn.Close()
	}
}

// hears wants a change of a balance to reach somebody who reads within a second.
func hears(t *testing.T, s *server, c *customer) {
	t.Helper()
	body := `{"query":"subscription { balanceChanged { version } }"}`
	r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/graphql", strings.NewReader(body))
	r.Header = http.Header{"Authorization": {"Bearer " + c.token}, "Content-Type": {"application/json"}, "Accept": {"text/event-stream"}}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	events := make(chan time.Time, 100)
	go func() {
		defer close(events)
		for lines := bufio.NewScanner(res.Body); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "data: {") {
				events <- time.Now()
			}
		}
	}()
	<-events
	c.charge(t, "ALIPAY", "10.00") // returns once the money is there
	changed := time.Now()
	if at := <-events; at.Sub(changed) > heardWithin {
		t.Errorf("heard after %v", at.Sub(changed))
	}
}
