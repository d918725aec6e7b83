package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mounted are the folders of a container's root that are not the image's.
var mounted = map[string]bool{"/dev": true, "/proc": true, "/sys": true}

// pages prints which parts of the files of a running container are in the page cache. After a start from lazily mounted layers these
// are the parts that the start has read, with the kernel's readahead.
func pages(pid uint32) error {
	root := fmt.Sprintf("/proc/%d/root", pid)
	return filepath.WalkDir(root+"/", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := "/" + strings.TrimLeft(strings.TrimPrefix(path, root), "/")
		if entry.IsDir() && mounted[name] {
			return filepath.SkipDir
		}
		if !entry.Type().IsRegular() {
			return nil
		}
		ranges, err := cached(path)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if len(ranges) > 0 {
			emit("pages", map[string]any{"path": name, "ranges": ranges})
		}
		return nil
	})
}

// cached gives the half-open ranges of a file's bytes that are in the page cache.
func cached(path string) ([][2]int64, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	stat, err := file.Stat()
	if err != nil || stat.Size() == 0 {
		return nil, err
	}
	memory, err := unix.Mmap(int(file.Fd()), 0, int(stat.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	defer unix.Munmap(memory)
	size := int64(os.Getpagesize())
	resident := make([]byte, (stat.Size()+size-1)/size)
	if err := mincore(memory, resident); err != nil {
		return nil, err
	}
	var ranges [][2]int64
	for at := range resident {
		if resident[at]&1 == 0 {
			continue
		}
		start, end := int64(at)*size, min(int64(at+1)*size, stat.Size())
		if last := len(ranges) - 1; last >= 0 && ranges[last][1] == start {
			ranges[last][1] = end
		} else {
			ranges = append(ranges, [2]int64{start, end})
		}
	}
	return ranges, nil
}

func mincore(memory, resident []byte) error {
	_, _, errno := unix.Syscall(unix.SYS_MINCORE,
		uintptr(unsafe.Pointer(&memory[0])), uintptr(len(memory)), uintptr(unsafe.Pointer(&resident[0])))
	if errno != 0 {
		return errno
	}
	return nil
}
