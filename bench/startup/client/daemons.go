package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
)

// startDaemons starts containerd and the snapshotter, and waits until they answer.
func startDaemons(ctx context.Context, o options) (*containerd.Client, error) {
	in := func(name string) string { return filepath.Join(o.folder, name) }
	for _, name := range []string{"root", "state", "soci", "tmp"} {
		if err := os.MkdirAll(in(name), 0o711); err != nil {
			return nil, err
		}
	}
	proxy := ""
	if o.soci != "" {
		more, err := os.ReadFile(o.sociConfig)
		if err != nil {
			return nil, err
		}
		config := fmt.Sprintf("%s\n[content_store]\ncontainerd_address = %q\n", more, in("containerd.sock"))
		if err := os.WriteFile(in("soci.toml"), []byte(config), 0o600); err != nil {
			return nil, err
		}
		if err := daemon(in("soci.log"), o.soci, "--address", in("soci.sock"), "--config", in("soci.toml"), "--root", in("soci")); err != nil {
			return nil, err
		}
		proxy = fmt.Sprintf("[proxy_plugins.soci]\ntype = \"snapshot\"\naddress = %q\n", in("soci.sock"))
	}
	config := fmt.Sprintf("version = 3\nroot = %q\nstate = %q\ntemp = %q\ndisabled_plugins = [\"io.containerd.cri.v1.images\", \"io.containerd.cri.v1.runtime\", \"io.containerd.grpc.v1.cri\", \"io.containerd.nri.v1.nri\"]\n[grpc]\naddress = %q\n%s",
		in("root"), in("state"), in("tmp"), in("containerd.sock"), proxy)
	if err := os.WriteFile(in("containerd.toml"), []byte(config), 0o600); err != nil {
		return nil, err
	}
	if err := daemon(in("containerd.log"), o.containerd, "--config", in("containerd.toml"), "--log-level", "info"); err != nil {
		return nil, err
	}
	sockets := []string{in("containerd.sock")}
	if o.soci != "" {
		sockets = append(sockets, in("soci.sock"))
	}
	for _, socket := range sockets {
		if err := answers(ctx, socket); err != nil {
			return nil, fmt.Errorf("%w; %s; %s", err, tail(in("containerd.log")), tail(in("soci.log")))
		}
	}
	client, err := containerd.New(in("containerd.sock"), containerd.WithTimeout(30*time.Second))
	if err != nil {
		return nil, err
	}
	for {
		if ready, err := client.IsServing(ctx); ready {
			return client, nil
		} else if ctx.Err() != nil {
			return nil, fmt.Errorf("containerd does not serve: %w", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// daemon starts a program whose output goes to a file.
func daemon(log, path string, args ...string) error {
	file, err := os.Create(log)
	if err != nil {
		return err
	}
	command := exec.Command(path, args...)
	command.Stdout, command.Stderr = file, file
	command.Env = append(os.Environ(), "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"))
	return command.Start()
}

func answers(ctx context.Context, socket string) error {
	for {
		connection, err := net.Dial("unix", socket)
		if err == nil {
			return connection.Close()
		}
		if ctx.Err() != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < 0 {
			return err
		}
	}
}

// tail gives the end of a log.
func tail(path string) string {
	content, _ := os.ReadFile(path)
	lines := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-3):], []byte(" | ")))
}
