// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"context"
	"fmt"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Load reads what Save or Seal stored under key. The error names the key and wraps ErrAbsent, ErrCorrupt, ErrNewerVersion,
// or the storage's own error. Only ErrAbsent means that nothing was ever stored; no other error may be treated so.
func Load(ctx context.Context, client storage.Client, key string, version int, into any) error {
	raw, err := client.Get(ctx, key)
	if err != nil {
		return fmt.Errorf("reading %q from storage: %w", key, err)
	}
	if err := Open(raw, version, into); err != nil {
		return fmt.Errorf("reading %q from storage: %w", key, err)
	}
	return nil
}

// Save stores v, sealed, under key.
func Save(ctx context.Context, client storage.Client, key string, version int, v any) error {
	raw, err := Seal(version, v)
	if err != nil {
		return fmt.Errorf("writing %q to storage: %w", key, err)
	}
	if err := client.Set(ctx, key, raw); err != nil {
		return fmt.Errorf("writing %q to storage: %w", key, err)
	}
	return nil
}
