package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"

	containerd "github.com/containerd/containerd/v2/client"
	"github.com/containerd/containerd/v2/core/mount"
	"github.com/opencontainers/image-spec/identity"
	"golang.org/x/sys/unix"
)

// list reads every file of an image through its mount, and prints all attributes and the digest of its bytes.
func list(ctx context.Context, client *containerd.Client, image containerd.Image, snapshotter, folder string) error {
	diffIDs, err := image.RootFS(ctx)
	if err != nil {
		return err
	}
	mounts, err := client.SnapshotService(snapshotter).View(ctx, "view", identity.ChainID(diffIDs).String())
	if err != nil {
		return err
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	if err := mount.All(mounts, folder); err != nil {
		return err
	}
	defer mount.UnmountAll(folder, 0)
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || path == folder {
			return err
		}
		fields, err := describe(path)
		if err != nil {
			return fmt.Errorf("%s: %w", strings.TrimPrefix(path, folder), err)
		}
		fields["path"] = strings.TrimPrefix(path, folder)
		emit("entry", fields)
		return nil
	})
}

func describe(path string) (map[string]any, error) {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		return nil, err
	}
	fields := map[string]any{
		"mode": stat.Mode, "uid": stat.Uid, "gid": stat.Gid,
		"mtime": fmt.Sprintf("%d.%09d", stat.Mtim.Sec, stat.Mtim.Nsec),
	}
	switch stat.Mode & syscall.S_IFMT {
	case syscall.S_IFREG:
		digest, err := digestOf(path)
		if err != nil {
			return nil, err
		}
		fields["size"], fields["digest"], fields["links"] = stat.Size, digest, stat.Nlink
	case syscall.S_IFLNK:
		target, err := os.Readlink(path)
		if err != nil {
			return nil, err
		}
		fields["target"] = target
	case syscall.S_IFCHR, syscall.S_IFBLK:
		fields["device"] = stat.Rdev
	}
	xattrs, err := xattrsOf(path)
	if len(xattrs) > 0 {
		fields["xattrs"] = xattrs
	}
	return fields, err
}

func digestOf(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// xattrsOf gives an entry's extended attributes but those of overlayfs itself, values in hex.
func xattrsOf(path string) ([]string, error) {
	names := make([]byte, 64<<10)
	size, err := unix.Llistxattr(path, names)
	if err == unix.ENOTSUP {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, name := range strings.Split(strings.TrimRight(string(names[:size]), "\x00"), "\x00") {
		if name == "" || strings.HasPrefix(name, "trusted.overlay.") {
			continue
		}
		value := make([]byte, 64<<10)
		size, err := unix.Lgetxattr(path, name, value)
		if err != nil {
			return nil, err
		}
		found = append(found, name+"="+hex.EncodeToString(value[:size]))
	}
	sort.Strings(found)
	return found, nil
}
