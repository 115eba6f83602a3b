package guard

import (
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"paydesk/internal/channel/guard/guardtest"
)

// An address counts where it leads to: a name that its owner points elsewhere opens nothing.
func TestClientJudgesWhatANameResolvesTo(t *testing.T) {
	var reached atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	port := strconv.Itoa(server.Listener.Addr().(*net.TCPAddr).Port)
	for _, c := range []struct {
		mode Mode
		url  string
		to   string
		want string
	}{
		{Production, "https://pay.example:1", "127.0.0.1", "never reaches this machine"},
		{Production, "https://pay.example:1", "0.0.0.0", "never reaches this machine"},
		{Production, "https://pay.example:1", "169.254.169.254", "never reaches this machine"},
		{Sandbox, "http://pay.localhost:1", "203.0.113.7", "reaches this machine only"},
	} {
		guardtest.Names(t, netip.MustParseAddr(c.to))
		u, _ := url.Parse(c.url)
		u.Host = net.JoinHostPort(u.Hostname(), port)
		_, err := Client(c.mode, server.Client()).Get(u.String())
		var op *net.OpError
		if err == nil || !strings.Contains(err.Error(), c.want) || !errors.As(err, &op) || op.Op != "dial" {
			t.Errorf("%s to %s: %v", c.url, c.to, err)
		}
	}
	if reached.Load() != 0 {
		t.Error("the server was reached")
	}
	guardtest.Names(t, netip.MustParseAddr("127.0.0.1"))
	res, err := Client(Sandbox, server.Client()).Get("https://www.localhost:" + port)
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Error("sandbox mode reaches this machine by name: ", res, err)
	}
}

// What a provider answers is an address like any other: each request is judged.
func TestClientRefusesForeignRequests(t *testing.T) {
	for mode, urls := range map[Mode][]string{
		Sandbox:    {"http://example.com/bill", "http://127.0.0.1.example.com/", "http://user@127.0.0.1:1/", "http://10.0.0.1/"},
		Production: {"http://example.com/bill", "https://127.0.0.1:1/", "https://[::1]:1/", "https://127.1:1/", "https://localhost:1/", "https://0.0.0.0:1/", "https://0x7f.1/"},
		"":         {"https://example.com/", "http://127.0.0.1:1/"},
	} {
		for _, raw := range urls {
			asked := false
			// Whatever transport is given, it is not even asked.
			given := &http.Client{Transport: asking(func() { asked = true })}
			_, err := Client(mode, given).Post(raw, "text/plain", strings.NewReader("x"))
			var op *net.OpError
			if err == nil || asked || !errors.As(err, &op) {
				t.Errorf("%s %s: %v, asked %v", mode, raw, err, asked)
			}
		}
	}
}

type asking func()

func (f asking) RoundTrip(*http.Request) (*http.Response, error) { f(); return nil, io.EOF }

func TestClientFollowsNoRedirectAndBoundsAnswers(t *testing.T) {
	mux := http.NewServeMux()
	mux.Handle("/away", http.RedirectHandler("http://example.com/", http.StatusFound))
	mux.HandleFunc("/long", func(w http.ResponseWriter, _ *http.Request) { io.CopyN(w, zeros{}, maxAnswer+1) })
	server := httptest.NewServer(mux)
	defer server.Close()
	c := Client(Sandbox, nil)
	res, err := c.Get(server.URL + "/away")
	if err != nil || res.StatusCode != http.StatusFound {
		t.Fatalf("%v %v", res, err)
	}
	res.Body.Close()
	for of, complete := range map[*http.Client]bool{c: false, FileClient(Sandbox, nil): true} {
		res, err = of.Get(server.URL + "/long")
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, res.Body); (err == nil) != complete || n > maxAnswer+1 {
			t.Errorf("%d bytes, %v", n, err)
		}
		res.Body.Close()
	}
}

// A day of trades is longer than an answer: its file has the time that it takes, and no client has for ever.
func TestFilesHaveMoreTimeThanAnswers(t *testing.T) {
	for given, want := range map[*http.Client][2]time.Duration{
		nil:                       {Timeout, FileTimeout},
		{Timeout: time.Second}:    {time.Second, time.Second},
		{Timeout: time.Minute}:    {Timeout, time.Minute},
		{Timeout: 24 * time.Hour}: {Timeout, FileTimeout},
	} {
		got := [2]time.Duration{Client(Sandbox, given).Timeout, FileClient(Sandbox, given).Timeout}
		if got != want {
			t.Errorf("%v: %v, wanted %v", given, got, want)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// The operator's proxy may stand on this machine; a provider behind it may not.
func TestProductionGoesThroughTheOperatorsProxy(t *testing.T) {
	var asked []string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Method+" "+r.Host)
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	at, _ := url.Parse(proxy.URL)
	c := Client(Production, &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}})
	for _, raw := range []string{"https://pay.example/x", "https://" + at.Host + "/x"} {
		if _, err := c.Get(raw); err == nil {
			t.Error("the proxy refuses all")
		}
	}
	if len(asked) != 1 || asked[0] != "CONNECT pay.example:443" {
		t.Error(asked)
	}
	if _, err := Client(Sandbox, &http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}}).Get("http://127.0.0.1:1/"); err == nil || len(asked) != 1 {
		t.Error("sandbox mode asks no proxy: ", err, asked)
	}
}
