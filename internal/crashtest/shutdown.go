// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package crashtest

import (
	"context"
	"errors"
	"time"
)

// HurriedShutdown shuts a component down that is given hardly any time, and returns what it says, or that it waits
// nevertheless, as for a storage that hangs.
func HurriedShutdown(ctx context.Context, shutdown func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- shutdown(ctx) }()
	select {
	case err := <-ended:
		return err
	case <-time.After(30 * time.Second):
		return errors.New("shutting down hangs")
	}
}
