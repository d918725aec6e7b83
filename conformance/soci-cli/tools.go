//go:build tools

// Package socicli only pins the reference's command line and its snapshotter in go.mod and go.sum.
package socicli

import (
	_ "github.com/awslabs/soci-snapshotter/cmd/soci"
	_ "github.com/awslabs/soci-snapshotter/cmd/soci-snapshotter-grpc"
)
