// Command testenv starts one MariaDB and one Redis, runs the command that follows "--" with their addresses in
// PAYDESK_TEST_DATABASE_URL and PAYDESK_TEST_REDIS_URL, and stops them at the end, also on SIGINT and SIGTERM. Its exit
// code is the command's.
//
//	go run ./internal/platform/testenv/cmd -- go test ./...
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"paydesk/internal/platform/testenv/servers"
)

func main() {
	args := os.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		fmt.Fprintln(os.Stderr, "usage: testenv -- command [arguments]")
		os.Exit(2)
	}
	code, err := run(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
	}
	os.Exit(code)
}

func run(args []string) (int, error) {
	// Caught before anything is started, so that nothing outlives us; the child has the same terminal and hears ^C itself.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	database, redis, err := servers.Ensure(servers.Need{Database: true, Redis: true})
	if err != nil {
		return 1, err
	}
	defer database.Stop()
	defer redis.Stop()
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), servers.DatabaseVariable+"="+database.URL, servers.RedisVariable+"="+redis.URL)
	if err := cmd.Start(); err != nil {
		return 1, err
	}
	go func() {
		for s := range signals {
			_ = cmd.Process.Signal(s)
		}
	}()
	err = cmd.Wait()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return max(exit.ExitCode(), 1), nil
	}
	if err != nil {
		return 1, err
	}
	return 0, nil
}
