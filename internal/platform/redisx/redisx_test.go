package redisx

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEmbeddedLetsKeysExpire(t *testing.T) {
	client, closeAll, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closeAll(); err != nil {
			t.Error(err)
		}
	}()
	if err := client.Set(t.Context(), "k", "v", 1500*time.Millisecond).Err(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for client.Exists(t.Context(), "k").Val() == 1 {
		if time.Now().After(deadline) {
			t.Fatal("the key never expired")
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func TestURLs(t *testing.T) {
	for url, want := range map[string]string{
		"redis://127.0.0.1:6379/3":                  "127.0.0.1:6379",
		"rediss://u:p@h":                            "h:6379",
		"redis://:p@a:1,b:2,c":                      "a:1 b:2 c:6379",
		"redis://u:p%40ss@a:1,b:2?pool_size=5":      "a:1 b:2",
		"http://h":                                  "",
		"127.0.0.1:6379":                            "",
		"redis://u:s3cret@a:1,b:2/4":                "",
		"redis://u:s3cret@a:port":                   "",
		"redis://u:s3cret@a:1?nonsense=1":           "",
		"redis://u:s3cret%zz@a:1":                   "",
		"redis://u:s3cret@a:1,:9":                   "",
		"redis://u:s3cret@a:1/notanumber?pool_size": "",
	} {
		o, err := parse(url)
		if want == "" {
			if err == nil {
				t.Errorf("%s: accepted as %v", url, o.Addrs)
			} else if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error tells the password: %v", err)
			}
			continue
		}
		if err != nil || strings.Join(o.Addrs, " ") != want || o.IsClusterMode != strings.Contains(want, " ") {
			t.Errorf("%s: %v %v", url, o, err)
		}
	}
}

func TestSeveralAddressesAreACluster(t *testing.T) {
	client, closeAll, err := Open("redis://127.0.0.1:1,127.0.0.1:2")
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll()
	c, ok := client.(*redis.ClusterClient)
	if !ok || c.Options().ClusterStateReloadInterval != time.Second {
		t.Fatalf("%T", client)
	}
}
