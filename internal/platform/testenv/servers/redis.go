package servers

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// StartRedis starts a private Redis that keeps nothing on disk, with 1024 databases so that tests can have one each.
func StartRedis() (*Server, error) {
	server := find("redis-server", "valkey-server")
	if server == "" {
		return nil, errors.New("no redis-server on this machine")
	}
	dir, err := os.MkdirTemp("", "paydesk-redis-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	address := fmt.Sprintf("127.0.0.1:%d", port)
	s, err := start(dir, func() error { return pingRedis(address) }, server, "--bind", "127.0.0.1", "--port", fmt.Sprint(port),
		"--dir", dir, "--save", "", "--appendonly", "no", "--databases", "1024", "--daemonize", "no")
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	s.URL = "redis://" + address
	return s, nil
}

func pingRedis(address string) error {
	c, err := net.DialTimeout("tcp", address, 2*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(2 * time.Second))
	if _, err := c.Write([]byte("PING\r\n")); err != nil {
		return err
	}
	line, err := bufio.NewReader(c).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "+PONG") {
		err = errors.New(strings.TrimSpace(line))
	}
	return err
}
