// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/pdata/plog"
)

// ErrInPart says that some of the records were accepted, and others not.
var ErrInPart = errors.New("only a part of the log records was accepted")

// Once offers records that were refused before a single time, without the retries of Deliver: nil if all were accepted.
// What is accepted counts as that, and speaks for the others as in Deliver; a refusal is not counted again, and is not
// trouble. The error is the consumer's, with what it says about permanence, or that of ctx; it wraps ErrInPart if only some of the
// records were refused.
func (d *Deliverer) Once(ctx context.Context, logs plog.Logs) error {
	b := &batch{Deliverer: d}
	out := b.offer(ctx, logs)
	if obs := d.set.ObsReport; obs != nil && out.accepted > 0 {
		obs.EndLogsOp(obs.StartLogsOp(ctx), d.set.Format, out.accepted, nil)
	}
	if out.err != nil && out.accepted > 0 {
		return errors.Join(ErrInPart, out.err)
	}
	return out.err
}
