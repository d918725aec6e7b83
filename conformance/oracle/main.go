// Command oracle answers, for a batch of requests, what the reference implementation
// (github.com/awslabs/soci-snapshotter) makes of a layer, a zTOC, an image or a manifest, and what containerd unpacks layers to.
//
//	oracle ztoc|load|create|manifest|gzip|tar|apply < requests.jsonl > answers.jsonl
//
// One JSON request a line in, one JSON answer a line out, in order, each written before the next request is read: when the
// process dies (the reference's C code can), the caller knows which request killed it.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
)

// answer is what a handler returns; it must marshal to one JSON object.
type answer = any

var commands = map[string]func(request []byte) (answer, error){
	"ztoc":     handle(buildZtoc),
	"load":     handle(loadZtoc),
	"create":   handle(createIndex),
	"manifest": handle(recodeManifest),
	"gzip":     handle(compressFile),
	"tar":      handle(writeTar),
	"apply":    handle(applyLayers),
}

// handle adapts a typed handler to the line protocol.
func handle[Request, Answer any](f func(Request) Answer) func([]byte) (answer, error) {
	return func(line []byte) (answer, error) {
		var request Request
		if err := json.Unmarshal(line, &request); err != nil {
			return nil, err
		}
		return f(request), nil
	}
}

func main() {
	if len(os.Args) != 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: oracle ztoc|load|create|manifest|gzip|tar|apply < requests.jsonl > answers.jsonl")
		os.Exit(2)
	}
	// The library prints its progress to os.Stdout: keep the answers' stream to ourselves.
	answers := os.Stdout
	os.Stdout = os.Stderr

	input := bufio.NewScanner(os.Stdin)
	input.Buffer(nil, 64<<20)
	for input.Scan() {
		result, err := commands[os.Args[1]](input.Bytes())
		if err != nil {
			fmt.Fprintln(os.Stderr, "oracle: not a request:", err)
			os.Exit(2)
		}
		line, err := json.Marshal(result)
		if err != nil {
			fmt.Fprintln(os.Stderr, "oracle:", err)
			os.Exit(1)
		}
		if _, err := answers.Write(append(line, '\n')); err != nil {
			os.Exit(1)
		}
	}
	if err := input.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}
