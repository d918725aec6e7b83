// Prints reference-rules.json (then laid out one item a line): what the reference's libraries make of platform names and layer media types.
// Run it inside a module that requires github.com/awslabs/soci-snapshotter v0.16.1, github.com/containerd/containerd/v2 v2.2.9,
// github.com/containerd/platforms v1.0.0-rc.5 and github.com/opencontainers/image-spec v1.1.1: `go run reference-rules.go`.
package main

import (
	"encoding/json"
	"os"

	"github.com/awslabs/soci-snapshotter/util/ociutil"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/platforms"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

func main() {
	specs := []string{"linux/amd64", "linux/arm64", "linux/arm64/v8", "linux/arm64/v9", "linux/arm64/8", "linux/arm64/v8.2", "linux/arm", "linux/arm/v7", "linux/arm/7", "linux/arm/v6", "linux/arm/5", "linux/armhf", "linux/armel", "linux/x86_64", "linux/amd64/v1", "linux/amd64/v3", "linux/i386", "linux/386", "Linux/AMD64", "macos/aarch64", "linux/aarch64", "windows/amd64", "windows(10.0.17763.1)/amd64", "windows(10.0.20348)/amd64", "windows(10.0.26100+win32k)/amd64", "windows(+win32k)/amd64", "linux(+sse4+avx)/amd64", "linux(+avx)/amd64", "linux(a%2Bb)/amd64", "linux/s390x", "linux/ppc64le/power9", "linux/amd64/v1/x", "lin ux/amd64", "linux/*", "/amd64", "linux/", "", "linux(%zz)/amd64", "unknown/unknown", "linux/mips64le"}
	type parsed struct {
		Spec     string            `json:"spec"`
		Platform *ocispec.Platform `json:"platform"`
		Format   string            `json:"format,omitempty"`
	}
	var out struct {
		Parsed     []parsed           `json:"parsed"`
		Platforms  []ocispec.Platform `json:"platforms"`
		Normalized []ocispec.Platform `json:"normalized"`
		Matches    []string           `json:"matches"`
		Distinct   []ocispec.Platform `json:"distinct"`
		LayerTypes map[string]string  `json:"layerTypes"`
	}
	for _, s := range specs {
		p, err := platforms.Parse(s)
		if err != nil {
			out.Parsed = append(out.Parsed, parsed{Spec: s})
			continue
		}
		out.Parsed = append(out.Parsed, parsed{s, &p, platforms.Format(p)})
		out.Platforms = append(out.Platforms, p)
	}
	out.Platforms = append(out.Platforms, ocispec.Platform{Architecture: "amd64"}, ocispec.Platform{OS: "linux"}, ocispec.Platform{OS: "linux", Architecture: "arm64", Variant: "V8"},
		ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.17763.5000"}, ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.25398.1"}, ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.26200"}, ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: "rubbish"}, ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: "11.0.26100"}, ocispec.Platform{OS: "windows", Architecture: "amd64", OSVersion: "10.0.99999"},
		ocispec.Platform{OS: "linux", Architecture: "amd64", OSFeatures: []string{"b", "a", "b"}})
	for _, p := range out.Platforms {
		out.Normalized = append(out.Normalized, platforms.Normalize(p))
		row := ""
		m := platforms.OnlyStrict(p)
		for _, q := range out.Platforms {
			if m.Match(q) {
				row += "1"
			} else {
				row += "0"
			}
		}
		out.Matches = append(out.Matches, row)
	}
	out.Distinct = ociutil.DedupePlatforms(out.Platforms)
	out.LayerTypes = map[string]string{}
	for _, base := range []string{"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.nondistributable.v1.tar", "application/vnd.docker.image.rootfs.diff.tar", "application/vnd.docker.image.rootfs.foreign.diff.tar", "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "application/vnd.docker.image.rootfs.diff.tar.zstd", "application/vnd.docker.image.rootfs.foreign.diff.tar.zstd", "application/vnd.oci.image.layer.v2.tar", "application/octet-stream", "application/vnd.in-toto+json", "application/vnd.amazon.soci.prefetch.v1+json", "application/vnd.oci.image.layer.", ""} {
		for _, ext := range []string{"", "+gzip", "+zstd", "+foo", "+encrypted", "+gzip+encrypted", "+encrypted+gzip", "+zstd+encrypted", "+gzip+zstd", "+", "+GZIP"} {
			mt := base + ext
			verdict := "refuse"
			if images.IsLayerType(mt) {
				c, err := images.DiffCompression(nil, mt)
				if err != nil {
					verdict = "refuse-if-large"
				} else if c == "gzip" {
					verdict = "gzip"
				} else if c == "unknown" || (c == "" && mt == ocispec.MediaTypeImageLayer) {
					verdict = "uncompressed"
				} else {
					verdict = "skip"
				}
			}
			if mt == "application/vnd.amazon.soci.prefetch.v1+json" {
				verdict = "skip"
			}
			out.LayerTypes[mt] = verdict
		}
	}
	e := json.NewEncoder(os.Stdout)
	e.SetIndent("", "\t")
	e.Encode(out)
}
