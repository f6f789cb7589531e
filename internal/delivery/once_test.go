// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

func TestOnceOffersASingleTime(t *testing.T) {
	for name, refusal := range map[string]error{"transient": errTransient, "permanent": errPermanent} {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				r := newRig(t, func(plog.Logs) error { return refusal })
				logs := makeLogs(1)
				begin := time.Now()
				err := r.Once(t.Context(), logs)
				require.ErrorIs(t, err, refusal)
				require.Equal(t, name == "permanent", consumererror.IsPermanent(err))
				require.NotContains(t, err.Error(), canary)
				require.Equal(t, begin, time.Now())
				require.Equal(t, 1, r.backend.calls)
				require.Empty(t, r.problems, "it was refused before")
				require.Zero(t, r.logs.Len())
				require.Empty(t, r.quarantined(t, logs))
			})
		})
	}
}

func TestOnceReturnsNilWhenEverythingIsAccepted(t *testing.T) {
	r := newRig(t, func(plog.Logs) error { return nil })
	require.NoError(t, r.Once(t.Context(), makeLogs(2)))
	require.Equal(t, numbers(0, 2), r.backend.accepted)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, r.Once(ctx, makeLogs(1)), context.Canceled)
	require.Equal(t, 1, r.backend.calls, "nothing after the end")
}

func TestOnceTellsOfAPart(t *testing.T) {
	r := newRig(t, func(logs plog.Logs) error {
		return consumererror.NewLogs(errTransient, pick(logs, func(record plog.LogRecord) bool { return uidOf(record) == "1" }))
	})
	require.ErrorIs(t, r.Once(t.Context(), makeLogs(2)), ErrInPart)
}
