package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/remotes/docker"
	"github.com/containerd/containerd/v2/pkg/cio"
	"github.com/containerd/containerd/v2/pkg/namespaces"
	"github.com/containerd/containerd/v2/pkg/oci"
	"github.com/containerd/containerd/v2/pkg/snapshotters"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func run(ctx context.Context, o options) error {
	ctx = namespaces.WithNamespace(ctx, "startup")
	client, err := startDaemons(ctx, o)
	if err != nil {
		return err
	}
	emit("ready", nil)
	snapshotter := "overlayfs"
	if o.soci != "" {
		snapshotter = "soci"
	}
	begin := time.Now()
	since := func() map[string]any { return map[string]any{"seconds": time.Since(begin).Seconds()} }
	hosts := docker.ConfigureDefaultRegistries(docker.WithPlainHTTP(docker.MatchAllHosts))
	image, err := client.Pull(ctx, o.ref,
		containerd.WithResolver(docker.NewResolver(docker.ResolverOptions{Hosts: hosts})),
		containerd.WithPullSnapshotter(snapshotter),
		containerd.WithPullUnpack,
		containerd.WithImageHandlerWrapper(snapshotters.AppendInfoHandlerWrapper(o.ref)))
	if err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	pulled := since()
	pulled["lazy"], err = lazyMounts(filepath.Join(o.folder, "soci"))
	if err != nil {
		return err
	}
	emit("pulled", pulled)
	if o.list {
		return list(ctx, client, image, snapshotter, filepath.Join(o.folder, "view"))
	}
	if err := start(ctx, client, image, snapshotter, "first", o, since); err != nil {
		return err
	}
	if o.second {
		begin = time.Now()
		if err := start(ctx, client, image, snapshotter, "second", o, since); err != nil {
			return err
		}
	}
	return nil
}

// start runs a container until it has printed a line and answered over HTTP.
func start(ctx context.Context, client *containerd.Client, image containerd.Image, snapshotter, name string, o options, since func() map[string]any) error {
	mounts, err := nameFiles(o.folder)
	if err != nil {
		return err
	}
	env := []string{}
	if o.port != 0 {
		env = append(env, fmt.Sprintf("PORT=%d", o.port))
	}
	container, err := client.NewContainer(ctx, name,
		containerd.WithSnapshotter(snapshotter),
		containerd.WithNewSnapshot(name, image),
		containerd.WithNewSpec(oci.WithImageConfig(image), oci.WithEnv(env), oci.WithHostNamespace(specs.NetworkNamespace), oci.WithMounts(mounts)))
	if err != nil {
		return fmt.Errorf("container: %w", err)
	}
	output, input := io.Pipe()
	messages := &strings.Builder{}
	task, err := container.NewTask(ctx, cio.NewCreator(cio.WithStreams(nil, input, messages), cio.WithFIFODir(filepath.Join(o.folder, "fifo"))))
	if err != nil {
		return fmt.Errorf("task: %w", err)
	}
	ended, err := task.Wait(ctx)
	if err != nil {
		return err
	}
	prefer(task.Pid())
	if err := task.Start(ctx); err != nil {
		return fmt.Errorf("start: %w", err)
	}
	emit(name+"-started", since())
	lines := make(chan string, 1)
	go func() {
		reader := bufio.NewReader(output)
		line, _ := reader.ReadString('\n')
		lines <- strings.TrimSpace(line)
		io.Copy(io.Discard, reader)
	}()
	select {
	case line := <-lines:
		event := since()
		event["line"] = line
		emit(name+"-line", event)
	case status := <-ended:
		return fmt.Errorf("the container ended with status %d before its first line: %s", status.ExitCode(), messages)
	case <-ctx.Done():
		return errors.New("no line in time")
	}
	if o.port != 0 {
		body, err := answer(ctx, o.port)
		if err != nil {
			return fmt.Errorf("%w: %s", err, messages)
		}
		event := since()
		event["body"] = body
		emit(name+"-answer", event)
	}
	if o.pages {
		if err := pages(task.Pid()); err != nil {
			return err
		}
	}
	if err := task.Kill(ctx, syscall.SIGKILL); err == nil {
		<-ended
	}
	input.Close()
	if _, err := task.Delete(ctx); err != nil {
		return err
	}
	return container.Delete(ctx)
}

// nameFiles makes what every runtime mounts over the image's own files of these names.
func nameFiles(folder string) ([]specs.Mount, error) {
	var mounts []specs.Mount
	for name, content := range map[string]string{"hostname": "startup\n", "hosts": "127.0.0.1 localhost startup\n", "resolv.conf": ""} {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return nil, err
		}
		mounts = append(mounts, specs.Mount{Destination: "/etc/" + name, Type: "bind", Source: path, Options: []string{"rbind", "ro"}})
	}
	return mounts, nil
}

// answer asks until the server answers with status 200.
func answer(ctx context.Context, port int) (string, error) {
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d/", port), nil)
		if err != nil {
			return "", err
		}
		response, err := http.DefaultClient.Do(request)
		if err == nil {
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err == nil && response.StatusCode == http.StatusOK {
				return string(body), nil
			}
		}
		if ctx.Err() != nil {
			return "", errors.New("no answer over HTTP in time")
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// lazyMounts counts the FUSE file systems below a folder: a layer each.
func lazyMounts(folder string) (int, error) {
	content, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return 0, err
	}
	count := 0
	for _, line := range strings.Split(string(content), "\n") {
		head, rest, found := strings.Cut(line, " - ")
		if found && strings.HasPrefix(rest, "fuse") && strings.Contains(head, " "+folder+"/") {
			count++
		}
	}
	return count, nil
}
