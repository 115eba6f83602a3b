// Package redisx opens Redis: one server, a cluster, or miniredis in this process.
package redisx

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Open opens what the URL says. Empty: miniredis in this process, for one process and a small load. redis:// or
// rediss:// with one address: that server. With several ("redis://user:password@a:6379,b:6379,c:6379"): a cluster.
// close ends the client and, embedded, the server. Nothing is dialled yet.
func Open(rawURL string) (client redis.UniversalClient, close func() error, err error) {
	if rawURL == "" {
		return embedded()
	}
	options, err := parse(rawURL)
	if err != nil {
		return nil, nil, err
	}
	if options.IsClusterMode {
		cluster := options.Cluster()
		cluster.ClusterStateReloadInterval = clusterStateReload
		client = redis.NewClusterClient(cluster)
	} else {
		client = redis.NewClient(options.Simple())
	}
	return client, client.Close, nil
}

// Check reports what is wrong with a URL, without its password and without dialling.
func Check(rawURL string) error {
	if rawURL == "" {
		return nil
	}
	_, err := parse(rawURL)
	return err
}

const (
	// A dead master of a cluster is noticed by reloading its state; go-redis' default is a minute.
	clusterStateReload = time.Second
	dialTimeout        = 2 * time.Second
	// An answer takes well below a millisecond; money never waits long for a Redis that hangs.
	ioTimeout = time.Second
)

func parse(rawURL string) (*redis.UniversalOptions, error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok || scheme != "redis" && scheme != "rediss" {
		return nil, fmt.Errorf("a Redis URL begins with redis:// or rediss://")
	}
	user, hosts := "", rest
	if at := strings.LastIndex(rest, "@"); at >= 0 {
		user, hosts = rest[:at+1], rest[at+1:]
	}
	tail := ""
	if cut := strings.IndexAny(hosts, "/?"); cut >= 0 {
		hosts, tail = hosts[:cut], hosts[cut:]
	}
	addresses := strings.Split(hosts, ",")
	one, err := redis.ParseURL(scheme + "://" + user + addresses[0] + tail)
	if err != nil {
		// The driver's text may quote the URL with its password.
		if _, bad := url.Parse(scheme + "://" + addresses[0] + tail); bad != nil {
			return nil, fmt.Errorf("a Redis URL is redis://user:password@host:port/db")
		}
		return nil, fmt.Errorf("a Redis URL is redis://user:password@host:port/db (percent-encode the password)")
	}
	o := &redis.UniversalOptions{
		Addrs: []string{one.Addr}, DB: one.DB, Username: one.Username, Password: one.Password, TLSConfig: one.TLSConfig,
		PoolSize: one.PoolSize, DialTimeout: dialTimeout, ReadTimeout: ioTimeout, WriteTimeout: ioTimeout,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		DisableIdentity:          true,
		ContextTimeoutEnabled:    true, // who is in a hurry says so in the context; a Redis that hangs keeps nobody longer
	}
	if len(addresses) == 1 {
		return o, nil
	}
	if o.DB != 0 {
		return nil, fmt.Errorf("a Redis Cluster has database 0 alone")
	}
	o.IsClusterMode = true
	for _, a := range addresses[1:] {
		u, err := url.Parse("redis://" + a)
		if err != nil || u.Hostname() == "" {
			return nil, fmt.Errorf("a Redis Cluster URL lists host:port, separated by commas")
		}
		if u.Port() == "" {
			a += ":6379"
		}
		o.Addrs = append(o.Addrs, a)
	}
	return o, nil
}

// embedded starts miniredis on a loopback port of its own choosing. It has no clock: a ticker lets keys expire.
func embedded() (redis.UniversalClient, func() error, error) {
	server := miniredis.NewMiniRedis()
	if err := server.StartAddr("127.0.0.1:0"); err != nil {
		return nil, nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	var clock sync.WaitGroup
	clock.Go(func() { passTime(ctx, server) })
	client := redis.NewClient(&redis.Options{Addr: server.Addr(), DisableIdentity: true, ContextTimeoutEnabled: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}})
	return client, func() error {
		err := client.Close()
		stop()
		clock.Wait()
		server.Close()
		return err
	}, nil
}

func passTime(ctx context.Context, server *miniredis.Miniredis) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			server.FastForward(now.Sub(last))
			last = now
		}
	}
}
