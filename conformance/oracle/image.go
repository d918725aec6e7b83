package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/awslabs/soci-snapshotter/soci"
	"github.com/awslabs/soci-snapshotter/soci/store"
	"github.com/awslabs/soci-snapshotter/util/ociutil"
	"github.com/containerd/containerd/v2/core/content"
	"github.com/containerd/containerd/v2/core/images"
	"github.com/containerd/containerd/v2/plugins/content/local"
	"github.com/containerd/platforms"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content/oci"
)

type createRequest struct {
	Layout        string             `json:"layout"` // folder of an OCI layout, only read
	Target        ocispec.Descriptor `json:"target"` // the image: a manifest or an index in it
	Output        string             `json:"output"` // folder of a new OCI layout that gets the index and its artifacts
	SpanSize      int64              `json:"spanSize"`
	MinLayerSize  int64              `json:"minLayerSize"`
	BuildTool     string             `json:"buildTool"`
	Platforms     []string           `json:"platforms"` // as on a command line; empty: all of the image's
	Optimizations []string           `json:"optimizations"`
	PrefetchPaths []string           `json:"prefetchPaths"`
}

type createdIndex struct {
	Platform string             `json:"platform"`
	Index    ocispec.Descriptor `json:"index"`
	Subject  ocispec.Descriptor `json:"subject"`
	JSON     string             `json:"json"`
}

type createAnswer struct {
	Indexes []createdIndex `json:"indexes"`
	Error   string         `json:"error,omitempty"`
}

// artifactsDatabase is one a process: the library opens it once only. Every build forces new zTOCs, so it carries nothing over.
var artifactsDatabase = sync.OnceValues(func() (*soci.ArtifactsDb, error) {
	folder, err := os.MkdirTemp("", "oracle-artifacts-*")
	if err != nil {
		return nil, err
	}
	return soci.NewDB(soci.ArtifactsDbPath(folder))
})

// createIndex builds v1 SOCI indexes, as `soci create` does, for an image in an OCI layout.
func createIndex(request createRequest) (result createAnswer) {
	defer func() {
		if p := recover(); p != nil {
			result.Error = fmt.Sprint("panic: ", p)
		}
	}()
	result.Indexes = []createdIndex{}
	if err := create(request, &result); err != nil {
		result.Error = err.Error()
	}
	return result
}

func create(request createRequest, result *createAnswer) error {
	ctx := context.Background()
	contents, err := local.NewStore(request.Layout)
	if err != nil {
		return err
	}
	blobs, err := oci.New(request.Output)
	if err != nil {
		return err
	}
	database, err := artifactsDatabase()
	if err != nil {
		return err
	}
	var optimizations []soci.Optimization
	for _, name := range request.Optimizations {
		optimization, err := soci.ParseOptimization(name)
		if err != nil {
			return err
		}
		optimizations = append(optimizations, optimization)
	}
	builder, err := soci.NewIndexBuilder(contents, &store.SociStore{Store: blobs},
		soci.WithSpanSize(request.SpanSize), soci.WithMinLayerSize(request.MinLayerSize), soci.WithBuildToolIdentifier(request.BuildTool),
		soci.WithArtifactsDb(database), soci.WithForceRecreateZtocs(true), soci.WithOptimizations(optimizations),
		soci.WithPrefetchPaths(request.PrefetchPaths))
	if err != nil {
		return err
	}
	image := images.Image{Name: request.Layout, Target: request.Target}
	wanted, err := wantedPlatforms(ctx, contents, request)
	if err != nil {
		return err
	}
	for _, platform := range wanted {
		built, err := builder.Build(ctx, image, soci.WithPlatform(platform))
		if err != nil {
			return fmt.Errorf("%s: %w", platforms.FormatAll(platform), err)
		}
		encoded, err := soci.MarshalIndex(built.Index)
		if err != nil {
			return err
		}
		result.Indexes = append(result.Indexes, createdIndex{
			Platform: platforms.FormatAll(platform), Index: built.Desc, Subject: built.ManifestDesc, JSON: string(encoded),
		})
	}
	return nil
}

func wantedPlatforms(ctx context.Context, contents content.Store, request createRequest) ([]ocispec.Platform, error) {
	if len(request.Platforms) == 0 {
		return images.Platforms(ctx, contents, request.Target)
	}
	var wanted []ocispec.Platform
	for _, name := range request.Platforms {
		platform, err := platforms.Parse(name)
		if err != nil {
			return nil, err
		}
		wanted = append(wanted, platform)
	}
	return wanted, nil
}

type manifestRequest struct {
	JSON      string `json:"json"`
	Kind      string `json:"kind"`      // manifest or index
	MediaType string `json:"mediaType"` // what the descriptor says
}

type manifestAnswer struct {
	Output string `json:"output,omitempty"` // decoded into image-spec's struct and encoded again
	Digest string `json:"digest,omitempty"`
	Error  string `json:"error,omitempty"`   // of the decoder
	Refuse string `json:"refused,omitempty"` // by the validation that the reference applies to what it reads
}

// recodeManifest decodes and re-encodes with image-spec's structs and asks the reference's validation.
func recodeManifest(request manifestRequest) (result manifestAnswer) {
	var document any = &ocispec.Manifest{}
	if request.Kind == "index" {
		document = &ocispec.Index{}
	}
	if err := json.Unmarshal([]byte(request.JSON), document); err != nil {
		result.Error = err.Error()
	} else if encoded, err := json.Marshal(document); err != nil {
		result.Error = err.Error()
	} else {
		result.Output, result.Digest = string(encoded), digest.FromBytes(encoded).String()
	}
	if err := validate(request); err != nil {
		result.Refuse = err.Error()
	}
	return result
}

func validate(request manifestRequest) error {
	if request.Kind == "index" {
		return ociutil.ValidateMediaType([]byte(request.JSON), request.MediaType)
	}
	folder, err := os.MkdirTemp("", "oracle-manifest-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	dgst := digest.FromString(request.JSON)
	blobs := filepath.Join(folder, "blobs", "sha256")
	if err := errors.Join(os.MkdirAll(blobs, 0o755), os.WriteFile(filepath.Join(blobs, dgst.Encoded()), []byte(request.JSON), 0o644)); err != nil {
		return err
	}
	contents, err := local.NewStore(folder)
	if err != nil {
		return err
	}
	_, err = images.Manifest(context.Background(), contents, ocispec.Descriptor{MediaType: request.MediaType, Digest: dgst, Size: int64(len(request.JSON))}, nil)
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return err
}
