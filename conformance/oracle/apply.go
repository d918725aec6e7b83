package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/containerd/containerd/v2/pkg/archive"
)

type applyRequest struct {
	// Uncompressed tars, bottom first.
	Layers [][]byte `json:"layers"`
	// Whether all layers go into one folder, as for the native snapshotter; else each into its own, below an overlay.
	Naive bool `json:"naive"`
}

type applyAnswer struct {
	// `ok`, `refused` where Apply fails, `unavailable` where this machine cannot mount an overlay.
	Verdict string      `json:"verdict"`
	Error   string      `json:"error,omitempty"`
	Entries []treeEntry `json:"entries,omitempty"`
}

type treeEntry struct {
	Path   []byte `json:"path"`
	Type   string `json:"type"`
	Mode   uint32 `json:"mode"`
	UID    uint32 `json:"uid"`
	GID    uint32 `json:"gid"`
	MTime  int64  `json:"mtime"`
	Size   int64  `json:"size"`
	Digest string `json:"digest,omitempty"`
	Link   []byte `json:"link,omitempty"`
	Inode  uint64 `json:"inode"`
}

// applyLayers unpacks layers with containerd's Apply and lists the tree.
func applyLayers(request applyRequest) applyAnswer {
	temporary, err := os.MkdirTemp("", "oracle-apply-")
	if err != nil {
		return applyAnswer{Verdict: "unavailable", Error: err.Error()}
	}
	defer os.RemoveAll(temporary)
	root := filepath.Join(temporary, "naive")
	var lower []string // topmost first
	for i, layer := range request.Layers {
		folder := root
		var options []archive.ApplyOpt
		if !request.Naive {
			folder = filepath.Join(temporary, fmt.Sprint(i))
			options = append(options, archive.WithConvertWhiteout(archive.OverlayConvertWhiteout))
			if len(lower) > 0 {
				options = append(options, archive.WithParents(lower))
			}
		}
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return applyAnswer{Verdict: "unavailable", Error: err.Error()}
		}
		if _, err := archive.Apply(context.Background(), folder, bytes.NewReader(layer), options...); err != nil {
			return applyAnswer{Verdict: "refused", Error: strings.ReplaceAll(err.Error(), temporary, "")}
		}
		lower = append([]string{folder}, lower...)
	}
	if !request.Naive {
		root = lower[0]
		if len(lower) > 1 {
			root = filepath.Join(temporary, "merged")
			if err := os.Mkdir(root, 0o755); err != nil {
				return applyAnswer{Verdict: "unavailable", Error: err.Error()}
			}
			data := "lowerdir=" + strings.Join(lower, ":")
			if err := syscall.Mount("overlay", root, "overlay", syscall.MS_RDONLY, data); err != nil {
				return applyAnswer{Verdict: "unavailable", Error: err.Error()}
			}
			defer syscall.Unmount(root, 0)
		}
	}
	entries, err := listTree(root)
	if err != nil {
		return applyAnswer{Verdict: "refused", Error: err.Error()}
	}
	return applyAnswer{Verdict: "ok", Entries: entries}
}

func listTree(root string) ([]treeEntry, error) {
	entries := []treeEntry{}
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		var stat syscall.Stat_t
		if err := syscall.Lstat(path, &stat); err != nil {
			return err
		}
		entry := treeEntry{
			Path:  []byte(path[len(root)+1:]),
			Mode:  stat.Mode & 0o7777,
			UID:   stat.Uid,
			GID:   stat.Gid,
			MTime: stat.Mtim.Sec,
			Inode: stat.Ino,
		}
		switch stat.Mode & syscall.S_IFMT {
		case syscall.S_IFDIR:
			entry.Type = "dir"
		case syscall.S_IFREG:
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(content)
			entry.Type, entry.Size, entry.Digest = "file", stat.Size, hex.EncodeToString(sum[:])
		case syscall.S_IFLNK:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			entry.Type, entry.Link = "symlink", []byte(target)
		case syscall.S_IFIFO:
			entry.Type = "fifo"
		case syscall.S_IFCHR:
			entry.Type = "char"
		case syscall.S_IFBLK:
			entry.Type = "block"
		}
		entries = append(entries, entry)
		return nil
	})
	return entries, err
}
