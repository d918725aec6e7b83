// Registries with the referrers API, by libraries of others, in memory on a free port of 127.0.0.1:
// `referrers-registry ociregistry` (CUE Labs: answers OCI-Subject, filters) and `referrers-registry go-containerregistry` (neither).
package main

import (
	"log"
	"net"
	"net/http"
	"os"

	"cuelabs.dev/go/oci/ociregistry/ocimem"
	"cuelabs.dev/go/oci/ociregistry/ociserver"
	"github.com/google/go-containerregistry/pkg/registry"
)

func main() {
	handlers := map[string]http.Handler{
		"ociregistry":          ociserver.New(ocimem.New(), nil),
		"go-containerregistry": registry.New(registry.WithReferrersSupport(true)),
	}
	if len(os.Args) != 2 || handlers[os.Args[1]] == nil {
		log.Fatalf("usage: %s ociregistry|go-containerregistry", os.Args[0])
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	log.Printf("serving on port %d", listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, handlers[os.Args[1]]))
}
