package main

import (
	"archive/tar"
	stdgzip "compress/gzip"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	fastgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/pgzip"
)

type gzipRequest struct {
	Input     string `json:"input"`
	Output    string `json:"output"`
	Library   string `json:"library"` // go, klauspost, pgzip
	Level     int    `json:"level"`
	BlockSize int    `json:"blockSize"` // pgzip's
	Name      string `json:"name"`
	Comment   string `json:"comment"`
	Extra     []byte `json:"extra"`
	FlushAt   []int  `json:"flushAt"` // input offsets to flush at
}

type madeAnswer struct {
	Error string `json:"error,omitempty"`
}

type flushWriter interface {
	io.WriteCloser
	Flush() error
}

// compressFile makes a gzip layer with one of the Go libraries that image builders use.
func compressFile(request gzipRequest) (result madeAnswer) {
	if err := compress(request); err != nil {
		result.Error = err.Error()
	}
	return result
}

func compress(request gzipRequest) error {
	content, err := os.ReadFile(request.Input)
	if err != nil {
		return err
	}
	output, err := os.Create(request.Output)
	if err != nil {
		return err
	}
	defer output.Close()
	var writer flushWriter
	switch request.Library {
	case "go":
		w, err := stdgzip.NewWriterLevel(output, request.Level)
		if err != nil {
			return err
		}
		w.Name, w.Comment, w.Extra = request.Name, request.Comment, request.Extra
		writer = w
	case "klauspost":
		w, err := fastgzip.NewWriterLevel(output, request.Level)
		if err != nil {
			return err
		}
		w.Name, w.Comment, w.Extra = request.Name, request.Comment, request.Extra
		writer = w
	case "pgzip":
		w, err := pgzip.NewWriterLevel(output, request.Level)
		if err != nil {
			return err
		}
		if request.BlockSize > 0 {
			if err := w.SetConcurrency(request.BlockSize, 2); err != nil {
				return err
			}
		}
		w.Name, w.Comment, w.Extra = request.Name, request.Comment, request.Extra
		writer = w
	default:
		return fmt.Errorf("no such library: %q", request.Library)
	}
	at := 0
	for _, offset := range append(request.FlushAt, len(content)) {
		if _, err := writer.Write(content[at:offset]); err != nil {
			return err
		}
		at = offset
		if offset != len(content) {
			if err := writer.Flush(); err != nil {
				return err
			}
		}
	}
	return writer.Close()
}

type tarEntry struct {
	Name     string            `json:"name"`
	Type     string            `json:"type"` // the type flag; empty: a regular file
	Linkname string            `json:"linkname"`
	Content  string            `json:"content"`
	Mode     int64             `json:"mode"`
	Uid      int               `json:"uid"`
	Gid      int               `json:"gid"`
	Uname    string            `json:"uname"`
	Gname    string            `json:"gname"`
	Seconds  int64             `json:"seconds"`
	Nanos    int64             `json:"nanos"`
	Major    int64             `json:"major"`
	Minor    int64             `json:"minor"`
	Records  map[string]string `json:"records"`
	Format   string            `json:"format"` // ustar, pax, gnu; empty: as Go chooses
}

type tarRequest struct {
	Output  string     `json:"output"`
	Entries []tarEntry `json:"entries"`
}

// writeTar makes a tar with Go's archive/tar, which BuildKit, ko, Kaniko and Bazel's rules use.
func writeTar(request tarRequest) (result madeAnswer) {
	if err := writeEntries(request); err != nil {
		result.Error = err.Error()
	}
	return result
}

func writeEntries(request tarRequest) error {
	output, err := os.Create(request.Output)
	if err != nil {
		return err
	}
	defer output.Close()
	writer := tar.NewWriter(output)
	for _, entry := range request.Entries {
		header := &tar.Header{
			Name: entry.Name, Linkname: entry.Linkname, Typeflag: tar.TypeReg, Size: int64(len(entry.Content)), Mode: entry.Mode,
			Uid: entry.Uid, Gid: entry.Gid, Uname: entry.Uname, Gname: entry.Gname, ModTime: time.Unix(entry.Seconds, entry.Nanos),
			Devmajor: entry.Major, Devminor: entry.Minor, PAXRecords: entry.Records,
		}
		if entry.Type != "" {
			header.Typeflag = entry.Type[0]
		}
		switch entry.Format {
		case "ustar":
			header.Format = tar.FormatUSTAR
		case "pax":
			header.Format = tar.FormatPAX
		case "gnu":
			header.Format = tar.FormatGNU
		}
		if err := writer.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(writer, strings.NewReader(entry.Content)); err != nil {
			return err
		}
	}
	return writer.Close()
}
