// Package servers finds or starts the MariaDB (or MySQL) and the Redis that tests and benchmarks need. Every process it
// starts is private: own data folder, free port on 127.0.0.1, no system service; it ends with the process that started it,
// however that one ends.
package servers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// readyWithin is how long a server may take until it answers.
const readyWithin = 60 * time.Second

// Server is a running server.
type Server struct {
	URL string // as PAYDESK_DATABASE_URL or PAYDESK_REDIS_URL take it; for a database server without a name at the end
	PID int    // 0 where it is not our own process
	Log string // its log file, empty where it is not our own process

	stop func()
}

// Stop ends the server and removes its data. A second call does nothing.
func (s *Server) Stop() {
	if s.stop != nil {
		s.stop()
		s.stop = nil
	}
}

// freePort is a TCP port of 127.0.0.1 that nobody listens on.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// watchdog kills the server and removes its folder when the pipe that holds it up breaks: at the latest when this
// process is gone.
const watchdog = `read -r word
[ "$word" = done ] && exit 0
kill -9 "$1" 2>/dev/null
while kill -0 "$1" 2>/dev/null; do sleep 0.05; done
rm -rf "$2"`

// start runs a command in the background with its output in dir/log, and a watchdog beside it. ready is asked until it
// gives nil.
func start(dir string, ready func() error, name string, args ...string) (*Server, error) {
	logFile := filepath.Join(dir, "log")
	out, err := os.Create(logFile)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = out, out, dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // ^C is for us; we stop the server
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	exited := make(chan struct{})
	go func() { _ = cmd.Wait(); close(exited) }()
	guard := exec.Command("/bin/sh", "-c", watchdog, "sh", strconv.Itoa(cmd.Process.Pid), dir)
	guard.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	line, err := guard.StdinPipe()
	if err == nil {
		err = guard.Start()
	}
	if err != nil {
		_ = cmd.Process.Kill()
		return nil, err
	}
	s := &Server{PID: cmd.Process.Pid, Log: logFile}
	s.stop = func() {
		_ = cmd.Process.Kill() // the data is thrown away
		<-exited
		_, _ = line.Write([]byte("done\n"))
		_ = guard.Wait()
		_ = os.RemoveAll(dir)
	}
	if err := waitReady(ready, exited); err != nil {
		text, _ := os.ReadFile(logFile)
		s.Stop()
		return nil, fmt.Errorf("%s did not start: %w\n%s", filepath.Base(name), err, tail(text))
	}
	return s, nil
}

func waitReady(ready func() error, exited <-chan struct{}) error {
	deadline := time.Now().Add(readyWithin)
	for {
		err := ready()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return err
		}
		select {
		case <-exited:
			return errors.New("the process ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func tail(text []byte) []byte { return text[max(0, len(text)-2000):] }

// find is the first of the programs that is on the PATH or in one of the usual folders.
func find(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/local/bin", "/opt/homebrew/bin"} {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path
			}
		}
	}
	return ""
}

// run runs a command to its end; the error has its output.
func run(ctx context.Context, env []string, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out[:min(len(out), 4000)])
	}
	return nil
}
