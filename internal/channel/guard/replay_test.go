package guard

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"paydesk/internal/channel"
)

// A POST that reached the provider and got no answer may have been done. The transport would send one with an Idempotency-Key again by
// itself, fail to connect, and so make it look as if nothing had ever been sent.
func TestAPostIsNotSentTwiceByItself(t *testing.T) {
	for header, body := range map[string]string{"Idempotency-Key": "amount=1", "X-Idempotency-Key": "", "PayPal-Request-Id": "{}"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		gone := make(chan int, 1) // how many whole requests came, once nobody listens any more
		go func() {
			read := 0
			defer func() { gone <- read }()
			defer l.Close()
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			in := bufio.NewReader(c)
			for range 2 {
				r, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, r.Body); err != nil {
					return
				}
				if r.Header.Get(header) != "N1" {
					t.Errorf("%s: %v", header, r.Header)
				}
				if read++; read == 1 {
					io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				} else {
					l.Close() // before the connection, so that nothing can connect again
				}
			}
		}()
		client := Client(Sandbox, nil)
		post := func() error {
			r, err := http.NewRequest(http.MethodPost, "http://"+l.Addr().String()+"/pay", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set(header, "N1")
			res, err := client.Do(r)
			if err != nil {
				return err
			}
			return res.Body.Close()
		}
		if err := post(); err != nil {
			t.Fatal(err)
		}
		err = post()
		if read := <-gone; read != 2 {
			t.Fatalf("%s: %d requests on the one connection", header, read)
		}
		if err == nil || !errors.Is(channel.TransportError(err), channel.ErrUnknown) {
			t.Errorf("%s: %v", header, err)
		}
	}
}
