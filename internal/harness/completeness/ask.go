// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// ask has read called with what a simulator answers. The errors tell whom was asked for what.
func ask(ctx context.Context, client *http.Client, url, whom string, read func(io.Reader) error) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("asking %s: %w", whom, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("asking %s: %s", whom, resp.Status)
	}
	if err := read(resp.Body); err != nil {
		return fmt.Errorf("asking %s: reading the answer: %w", whom, err)
	}
	return nil
}
