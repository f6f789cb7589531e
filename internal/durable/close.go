// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"context"
	"errors"
	"time"
)

// CloseWithin calls closing, which closes storage clients, even if ctx has ended, but waits only for grace longer for a storage
// that does not answer: file_storage waits for a write that hangs.
func CloseWithin(ctx context.Context, grace time.Duration, closing func(context.Context) error) error {
	closed := make(chan error, 1)
	go func() { closed <- closing(context.WithoutCancel(ctx)) }()
	select {
	case err := <-closed:
		return err
	case <-ctx.Done():
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case err := <-closed:
		return err
	case <-timer.C:
		return errors.New("the storage does not answer and could not be closed in time: check the disk; until it answers, no new instance can start")
	}
}
