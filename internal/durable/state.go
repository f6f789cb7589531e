// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/extension/xextension/storage"
)

const (
	birthKey     = "birth"
	birthVersion = 1
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

// CheckBirth marks a storage as used and reports whether it was unmarked until now. A receiver that finds an unmarked
// storage although it has run before (or one that holds state without a mark) looks at a storage that was silently
// recreated. Call it before anything else is written, once the receiver has looked for its other state.
func CheckBirth(ctx context.Context, client storage.Client) (first bool, err error) {
	var mark struct {
		At time.Time `json:"at"`
	}
	err = Load(ctx, client, birthKey, birthVersion, &mark)
	if !errors.Is(err, ErrAbsent) {
		return false, err
	}
	mark.At = time.Now().UTC()
	if err := Save(ctx, client, birthKey, birthVersion, mark); err != nil {
		return false, err
	}
	return true, nil
}
