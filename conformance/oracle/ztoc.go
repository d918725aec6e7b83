package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime/debug"

	"github.com/awslabs/soci-snapshotter/ztoc"
	"github.com/awslabs/soci-snapshotter/ztoc/compression"
	"github.com/opencontainers/go-digest"
)

const (
	verdictLoads      = "loads"      // the zTOC can be built, decoded, and files extracted through it are right
	verdictUnloadable = "unloadable" // it can be built, but the reference's decoder refuses it or extraction is wrong
	verdictRefused    = "refused"    // it cannot be built
	verdictCrashes    = "crashes"    // the reference panics; a death of the process is for the caller to see
)

type ztocRequest struct {
	Layer       string `json:"layer"`       // path
	Compression string `json:"compression"` // gzip or uncompressed
	SpanSize    int64  `json:"spanSize"`
	BuildTool   string `json:"buildTool"`
	Output      string `json:"output"`    // where to write the zTOC; empty: nowhere
	Extract     int    `json:"extract"`   // how many files to extract at most, besides the first, last and largest; negative: all
	BuildOnly   bool   `json:"buildOnly"` // leave out the judgement: for the benchmark
}

type ztocAnswer struct {
	Verdict          string `json:"verdict"`
	Digest           string `json:"digest,omitempty"`
	Size             int64  `json:"size,omitempty"`
	Spans            int    `json:"spans"`
	Files            int    `json:"files"`
	UncompressedSize int64  `json:"uncompressedSize"`
	Xattrs           bool   `json:"xattrs"` // any SCHILY.xattr. record or opaque whiteout
	Reason           string `json:"reason,omitempty"`
	Unopenable       string `json:"unopenable,omitempty"` // the first file that a runtime loads but refuses to open, and why
	Error            string `json:"error,omitempty"`
}

func buildZtoc(request ztocRequest) (result ztocAnswer) {
	defer func() {
		if p := recover(); p != nil {
			result = ztocAnswer{Verdict: verdictCrashes, Error: fmt.Sprint("panic: ", p)}
		}
	}()
	built, err := ztoc.NewBuilder(request.BuildTool).BuildZtoc(request.Layer, request.SpanSize, ztoc.WithCompression(request.Compression))
	if err != nil {
		return ztocAnswer{Verdict: verdictRefused, Error: err.Error()}
	}
	reader, descriptor, err := ztoc.Marshal(built)
	if err != nil {
		return ztocAnswer{Verdict: verdictRefused, Error: err.Error()}
	}
	encoded, err := io.ReadAll(reader)
	if err != nil {
		return ztocAnswer{Verdict: verdictRefused, Error: err.Error()}
	}
	if request.Output != "" {
		if err := os.WriteFile(request.Output, encoded, 0o644); err != nil {
			panic(err)
		}
	}
	if !request.BuildOnly {
		result = judge(encoded, request.Layer, request.Extract)
	}
	result.Digest, result.Size = descriptor.Digest.String(), descriptor.Size
	result.Spans, result.Files = len(built.SpanDigests), len(built.FileMetadata)
	result.UncompressedSize = int64(built.UncompressedArchiveSize)
	result.Xattrs = hasXattrs(built)
	return result
}

// hasXattrs repeats the condition of the reference's xattr optimization (its function is private).
func hasXattrs(zt *ztoc.Ztoc) bool {
	for _, file := range zt.FileMetadata {
		if len(file.Xattrs()) > 0 || bytes.HasSuffix([]byte(file.Name), []byte(".wh..wh..opq")) {
			return true
		}
	}
	return false
}

type loadRequest struct {
	Ztoc    string `json:"ztoc"`
	Layer   string `json:"layer"`
	Extract int    `json:"extract"`
}

func loadZtoc(request loadRequest) ztocAnswer {
	encoded, err := os.ReadFile(request.Ztoc)
	if err != nil {
		return ztocAnswer{Verdict: verdictRefused, Error: err.Error()}
	}
	result := judge(encoded, request.Layer, request.Extract)
	result.Digest, result.Size = digest.FromBytes(encoded).String(), int64(len(encoded))
	return result
}

// judge decodes a zTOC as a runtime would and compares what is extracted through it with the layer itself.
func judge(encoded []byte, layer string, extract int) (result ztocAnswer) {
	defer func() {
		if p := recover(); p != nil {
			result = ztocAnswer{Verdict: verdictUnloadable, Reason: "extract", Error: fmt.Sprintf("panic: %v %s", p, debug.Stack())}
		}
	}()
	loaded, err := ztoc.Unmarshal(bytes.NewReader(encoded))
	if err != nil {
		return ztocAnswer{Verdict: verdictUnloadable, Reason: "unmarshal", Error: err.Error()}
	}
	result = ztocAnswer{Verdict: verdictLoads, Spans: len(loaded.SpanDigests), Files: len(loaded.FileMetadata), UncompressedSize: int64(loaded.UncompressedArchiveSize), Xattrs: hasXattrs(loaded)}
	unpacked, err := unpack(layer, loaded.CompressionAlgorithm)
	if err == nil {
		err = compareSpans(loaded, layer)
	}
	if err == nil {
		err = compareFiles(loaded, layer, unpacked, extract)
	}
	if err != nil {
		result.Verdict, result.Reason, result.Error = verdictUnloadable, "extract", err.Error()
		return result
	}
	if err := compareHeaders(loaded, unpacked); err != nil {
		result.Unopenable = err.Error()
	}
	return result
}

// unpack returns the layer's tar, as far as Go's gzip reader gets (what follows the tar's end may be beyond it).
func unpack(layer, algorithm string) ([]byte, error) {
	file, err := os.Open(layer)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if algorithm != compression.Gzip {
		return io.ReadAll(file)
	}
	unzipped, err := gzip.NewReader(file)
	if err != nil {
		return nil, err
	}
	content, _ := io.ReadAll(unzipped)
	return content, nil
}

func compareSpans(zt *ztoc.Ztoc, layer string) error {
	if len(zt.SpanDigests) != int(zt.MaxSpanID)+1 {
		return fmt.Errorf("max_span_id is %d but there are %d span digests", zt.MaxSpanID, len(zt.SpanDigests))
	}
	zinfo, err := zt.Zinfo()
	if err != nil {
		return err
	}
	defer zinfo.Close()
	file, err := os.Open(layer)
	if err != nil {
		return err
	}
	defer file.Close()
	for id, expected := range zt.SpanDigests {
		start := zinfo.StartCompressedOffset(compression.SpanID(id))
		end := zinfo.EndCompressedOffset(compression.SpanID(id), zt.CompressedArchiveSize)
		actual, err := digest.FromReader(io.NewSectionReader(file, int64(start), int64(end-start)))
		if err != nil {
			return err
		}
		if actual != expected {
			return fmt.Errorf("span %d (bytes %d to %d) has digest %s, zTOC says %s", id, start, end, actual, expected)
		}
	}
	return nil
}

// compareFiles extracts regular files by their offset (a name may stand twice, and the library follows links by name without end)
// and compares them with what Go's tar reader gives for the same entry: for a sparse file, its holes too.
func compareFiles(zt *ztoc.Ztoc, layer string, unpacked []byte, extract int) error {
	file, err := os.Open(layer)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	section := io.NewSectionReader(file, 0, info.Size())

	chosen := sample(zt.FileMetadata, extract)
	reader := tar.NewReader(bytes.NewReader(unpacked))
	for i, entry := range zt.FileMetadata {
		if _, err := reader.Next(); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if !chosen[i] {
			continue
		}
		if limit := int64(len(unpacked)); int64(entry.UncompressedOffset) > limit-int64(entry.UncompressedSize) {
			return fmt.Errorf("%q is said to have %d bytes at %d, the tar has %d", entry.Name, entry.UncompressedSize, entry.UncompressedOffset, limit)
		}
		alone := *zt
		alone.FileMetadata = []ztoc.FileMetadata{{Name: "x", UncompressedOffset: entry.UncompressedOffset, UncompressedSize: entry.UncompressedSize}}
		actual, err := alone.ExtractFile(section, "x")
		if err != nil {
			return fmt.Errorf("%q (%d bytes at %d): %w", entry.Name, entry.UncompressedSize, entry.UncompressedOffset, err)
		}
		expected, err := io.ReadAll(reader)
		if err != nil {
			return fmt.Errorf("%q cannot be read from the tar: %w", entry.Name, err)
		}
		if !bytes.Equal(actual, expected) {
			return fmt.Errorf("%q (%d bytes at %d) has other contents than the tar", entry.Name, entry.UncompressedSize, entry.UncompressedOffset)
		}
	}
	return nil
}

// compareHeaders does what the snapshotter does when a file is first opened (fs/reader, file.Verify, private there): the header in
// the tar, looked for after the data of the entry before, must say what the zTOC says.
func compareHeaders(zt *ztoc.Ztoc, unpacked []byte) error {
	for _, entry := range zt.FileMetadata {
		if entry.Type != "reg" {
			continue
		}
		start, size := int64(entry.TarHeaderOffset), int64(entry.UncompressedOffset-entry.TarHeaderOffset)
		if start < 0 || size < 0 || start+size > int64(len(unpacked)) {
			return fmt.Errorf("%q: its header is said to be at %d to %d", entry.Name, start, start+size)
		}
		reader := bytes.NewReader(unpacked[start : start+size])
		header, err := tar.NewReader(reader).Next()
		switch {
		case err != nil:
			return fmt.Errorf("%q: no header at %d: %w", entry.Name, start, err)
		case reader.Len() != 0:
			return fmt.Errorf("%q: its header at %d is %d bytes shorter", entry.Name, start, reader.Len())
		case entry.Name != header.Name:
			return fmt.Errorf("%q: the header names %q", entry.Name, header.Name)
		case !entry.ModTime.Equal(header.ModTime):
			return fmt.Errorf("%q: the header's time is %v", entry.Name, header.ModTime.Unix())
		case entry.UID != header.Uid || entry.GID != header.Gid:
			return fmt.Errorf("%q: the header's owner is %d:%d", entry.Name, header.Uid, header.Gid)
		case entry.FileMode() != header.FileInfo().Mode():
			return fmt.Errorf("%q: the header's mode is %o", entry.Name, header.Mode)
		case int64(entry.UncompressedSize) != header.Size || entry.Linkname != header.Linkname || !maps.Equal(entry.Xattrs(), ztoc.Xattrs(header.PAXRecords)):
			return fmt.Errorf("%q: the header has another size, link name or attributes", entry.Name)
		}
	}
	return nil
}

// sample picks, of the regular files, the first, the last, the largest and n evenly spread ones; all of them if n is negative.
func sample(entries []ztoc.FileMetadata, n int) map[int]bool {
	var regular []int
	largest := -1
	for i := range entries {
		if entries[i].Type == "reg" {
			regular = append(regular, i)
			if largest < 0 || entries[i].UncompressedSize > entries[largest].UncompressedSize {
				largest = i
			}
		}
	}
	chosen := map[int]bool{}
	for i, index := range regular {
		if n < 0 || i == 0 || i == len(regular)-1 || index == largest || i*n/len(regular) != (i-1)*n/len(regular) {
			chosen[index] = true
		}
	}
	return chosen
}
