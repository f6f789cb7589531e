// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package durable keeps a receiver's state in a Collector storage client: it opens the client, wraps every value with a
// format version and a checksum, and tells "nothing there" apart from "cannot be read".
package durable

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// OpenClient returns the storage client of component recv from the storage extension id, or a client that keeps everything
// in memory if id is nil. The caller must close it before its Shutdown returns: a file storage is locked until then.
func OpenClient(ctx context.Context, host component.Host, id *component.ID, kind component.Kind, recv component.ID) (storage.Client, error) {
	if id == nil {
		return NewMemory(), nil
	}
	found, ok := host.GetExtensions()[*id]
	if !ok {
		return nil, fmt.Errorf("storage extension %q is not running: define it under 'extensions' and list it in 'service::extensions'", id)
	}
	extension, ok := found.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf("extension %q is not a storage extension: use file_storage or another one that can store", id)
	}
	client, err := extension.GetClient(ctx, kind, recv, "")
	switch {
	case err == nil:
		return client, nil
	case errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "timeout"):
		// What file_storage says when the lock of its file is taken is just "timeout".
		return nil, fmt.Errorf("opening storage %q for %s: %w (is another collector, or another instance of this receiver, using the same storage?)", id, recv, err)
	default:
		return nil, fmt.Errorf("opening storage %q for %s: %w", id, recv, err)
	}
}
