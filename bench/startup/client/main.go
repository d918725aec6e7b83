// startup-client measures how long a container takes to start, from the pull's begin. It starts containerd and, if asked to, the
// SOCI snapshotter with empty state, pulls an image, runs it, and prints an event a line as JSON. To be run in mount and PID
// namespaces of its own: whatever it starts ends with it, and so do the mounts.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.containerd, "containerd", "", "path of containerd; its shim is beside it")
	flag.StringVar(&o.soci, "soci-snapshotter", "", "path of soci-snapshotter-grpc; without it the image is pulled whole, into overlayfs")
	flag.StringVar(&o.sociConfig, "soci-config", "", "path of its configuration, to which the address of containerd is added")
	flag.StringVar(&o.folder, "folder", "", "empty folder for all state, on a file system that overlayfs takes as its upper one")
	flag.StringVar(&o.ref, "image", "", "image to pull, from a registry that speaks plain HTTP")
	flag.IntVar(&o.port, "port", 0, "port that the image's server is to listen on; 0: wait for its first line only")
	flag.BoolVar(&o.second, "second", false, "start a second container afterwards")
	flag.BoolVar(&o.pages, "pages", false, "list the pages of the container's files that a start has brought into memory")
	flag.BoolVar(&o.list, "list", false, "run nothing: list every file of the image as its mount shows it")
	flag.DurationVar(&o.limit, "limit", 5*time.Minute, "give up after so long")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), o.limit)
	defer cancel()
	prefer(uint32(os.Getpid()))
	if err := run(ctx, o); err != nil {
		emit("error", map[string]any{"message": err.Error()})
		os.Exit(1)
	}
}

type options struct {
	containerd, soci, sociConfig, folder, ref string
	port                                      int
	second, pages, list                       bool
	limit                                     time.Duration
}

var encoder = json.NewEncoder(os.Stdout)

// emit prints an event: a line of JSON.
func emit(event string, fields map[string]any) {
	line := map[string]any{"event": event}
	for name, value := range fields {
		line[name] = value
	}
	if err := encoder.Encode(line); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// prefer gives the session of a process the highest priority, so that other programs matter little: with the scheduler's autogroups
// a process's own priority counts within its session only. Kernels without them have no such file.
func prefer(pid uint32) {
	os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", pid), []byte("-20"), 0)
}
