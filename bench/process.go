package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"paydesk/bench/load"
)

// process is a server that runs beside the bench.
type process struct {
	name, addr, log string
	pid             int
	exited          chan struct{}
}

// start runs a server and waits until it answers a POST to path with 200.
func (h *harness) start(name, addr, path string, body []byte, env []string, command string, args ...string) (*process, error) {
	p := &process{name: name, addr: addr, log: filepath.Join(h.dir, name+".log"), exited: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd := exec.Command(command, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.Env = h.dir, out, out, append(os.Environ(), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p.pid = cmd.Process.Pid
	go func() { _ = cmd.Wait(); close(p.exited) }()
	h.stop = append(h.stop, func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.exited:
		case <-time.After(20 * time.Second):
			_ = cmd.Process.Kill()
			<-p.exited
		}
	})
	for deadline := time.Now().Add(60 * time.Second); ; {
		if answers(addr, path, body) {
			return p, nil
		}
		select {
		case <-p.exited:
			err = errors.New("it ended")
		case <-time.After(50 * time.Millisecond):
			if time.Now().Before(deadline) {
				continue
			}
			err = errors.New("it does not answer")
		}
		text, _ := os.ReadFile(p.log)
		return nil, fmt.Errorf("%s: %w\n%s", name, err, text[max(0, len(text)-3000):])
	}
}

func answers(addr, path string, body []byte) bool {
	c, err := load.Dial(addr)
	if err != nil {
		return false
	}
	defer c.Close()
	status, _, err := c.Do(load.Post(nil, path, "", body))
	return err == nil && status > 0 && status < 500
}

// ticks is USER_HZ, the unit of times in /proc; 100 on every Linux that Go runs on.
const ticks = 100

// cpu is the processor time that a process has used (proc(5)); 0 where it cannot be seen.
func cpu(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, []byte(") "))
	f := strings.Fields(string(rest))
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(f[11], 10, 64)
	system, _ := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticks
}

func (h *harness) startTargets(ctx context.Context) error {
	for _, name := range h.config.targets {
		switch name {
		case "paydesk":
			p, err := h.startPaydesk(ctx, name)
			if err != nil {
				return err
			}
			h.targets = append(h.targets, &target{name: name, process: p, face: graphQL{}})
		case "bare":
			p, err := h.startPaydesk(ctx, name, "-tags", "bare")
			if err != nil {
				return err
			}
			h.targets = append(h.targets, &target{name: name, process: p, face: graphQL{}, only: readHome})
		case "limit", "hot-last":
			p := h.running("limit")
			if p == nil {
				var err error
				if p, err = h.startLimit(ctx); err != nil {
					return err
				}
			}
			h.targets = append(h.targets, &target{name: name, process: p, face: plain{path: map[string]string{"limit": "/pay", "hot-last": "/pay-hot-last"}[name]}, only: map[bool]string{true: payOnly}[h.running("limit") != nil]})
		default:
			return fmt.Errorf("no target %q", name)
		}
	}
	return nil
}

func (h *harness) running(name string) *process {
	for _, t := range h.targets {
		if t.process.name == name {
			return t.process
		}
	}
	return nil
}

// startPaydesk runs paydesk; with flags for the build it is a variant that is compared, never profiled.
func (h *harness) startPaydesk(ctx context.Context, name string, flags ...string) (*process, error) {
	var env []string
	variant := len(flags) > 0
	if h.profile != "" && !variant {
		list, err := h.overlay()
		if err != nil {
			return nil, err
		}
		if h.pprof, err = freeAddress(); err != nil {
			return nil, err
		}
		flags, env = []string{"-overlay", list}, []string{"BENCH_PPROF=" + h.pprof}
	}
	binary := h.binary
	var err error
	if binary == "" || h.profile != "" || variant {
		if binary, err = h.build(ctx, name, ".", flags...); err != nil {
			return nil, err
		}
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	env = append(env, "PAYDESK_LISTEN="+addr, "PAYDESK_DATABASE_URL="+h.database, "PAYDESK_REDIS_URL="+h.redis, "PAYDESK_DEV=true", "PAYDESK_DATA_DIR="+h.dir,
		// Limited, for that is part of what is measured, and never refused.
		"PAYDESK_RATE_USER=1000000000", "PAYDESK_RATE_ACCOUNT=1000000000", "PAYDESK_RATE_MONEY=1000000000")
	if h.gogc != "" {
		env = append(env, "GOGC="+h.gogc)
	}
	return h.start(name, addr, "/graphql", []byte(`{"query":"{__typename}"}`), env, binary, "serve")
}

func (h *harness) startLimit(ctx context.Context) (*process, error) {
	binary, err := h.build(ctx, "limit", "./bench/limit")
	if err != nil {
		return nil, err
	}
	addr, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dsn, _, err := dsnOf(h.database)
	if err != nil {
		return nil, err
	}
	return h.start("limit", addr, "/home", nil, nil, binary, "-listen", addr, "-dsn", dsn)
}
