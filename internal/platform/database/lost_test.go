package database_test

import (
	"context"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"paydesk/internal/platform/database"
	"paydesk/internal/platform/testenv"
)

// cutter forwards to the database server and cuts a connection when its client says a word.
type cutter struct {
	net.Listener
	to   string
	word atomic.Value // string; once found it is emptied
	// after: the server still gets the word, the client never hears the answer
	after atomic.Bool
}

func newCutter(t *testing.T, to string) *cutter {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{Listener: l, to: to}
	c.word.Store("")
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go c.forward(client)
		}
	}()
	return c
}

func (c *cutter) forward(client net.Conn) {
	server, err := net.Dial("tcp", c.to)
	if err != nil {
		_ = client.Close()
		return
	}
	var once sync.Once
	end := func() { once.Do(func() { _ = client.Close(); _ = server.Close() }) }
	defer end()
	var muted atomic.Bool
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		defer end()
		for answer := make([]byte, 1<<16); ; {
			n, err := server.Read(answer)
			if err != nil || muted.Load() {
				return
			}
			if _, err := client.Write(answer[:n]); err != nil {
				return
			}
		}
	}()
	for buffer := make([]byte, 1<<16); ; {
		n, err := client.Read(buffer)
		if err != nil {
			return
		}
		if word := c.word.Load().(string); word != "" && strings.Contains(string(buffer[:n]), word) {
			c.word.Store("")
			if c.after.Load() {
				muted.Store(true)
				_, _ = server.Write(buffer[:n])
				<-answered // done on the server; the answer is dropped
			}
			return
		}
		if _, err := server.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// through opens the home behind a cutter.
func through(t *testing.T, home testenv.Home) (*database.DB, *cutter) {
	u, err := url.Parse(home.DatabaseURL)
	if err != nil {
		t.Fatal(err)
	}
	c := newCutter(t, u.Host)
	u.Host = c.Addr().String()
	db, err := database.Open(context.Background(), u.String(), database.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db, c
}

// The connection breaks in the middle: nothing was committed, so the whole runs again.
func TestLostBeforeCommitIsRetried(t *testing.T) {
	home := testenv.MySQL(t)
	db, cut := through(t, home)
	ctx, tries := context.Background(), 0
	err := db.InTx(ctx, func(ctx context.Context) error {
		tries++
		if tries == 1 {
			cut.word.Store("cut here")
		}
		if _, err := db.Exec(ctx, insert, "first", "1", at); err != nil {
			return err
		}
		_, err := db.Exec(ctx, insert, "second", "cut here", at)
		return err
	})
	if err != nil || tries != 2 || get(t, ctx, db, "first") != "1" || get(t, ctx, db, "second") != "cut here" {
		t.Fatal(err, tries)
	}
}

// The connection breaks during COMMIT: it may stand or not, so it is told and not done again.
func TestLostDuringCommitIsUnknown(t *testing.T) {
	for name, after := range map[string]bool{"before the server hears it": false, "after the server did it": true} {
		t.Run(name, func(t *testing.T) {
			home := testenv.MySQL(t)
			db, cut := through(t, home)
			cut.after.Store(after)
			tries := 0
			err := db.InTx(context.Background(), func(ctx context.Context) error {
				tries++
				_, err := db.Exec(ctx, insert, "a", "1", at)
				cut.word.Store("COMMIT")
				return err
			})
			if !database.IsCommitUnknown(err) || tries != 1 {
				t.Fatal(err, tries)
			}
			want := map[bool]string{false: "absent", true: "1"}[after]
			if got := get(t, context.Background(), home.DB, "a"); got != want {
				t.Fatal(got)
			}
		})
	}
}
