// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

func TestACallUnderWayMayFinishAfterTheContextHasEnded(t *testing.T) {
	for _, tc := range []struct {
		name      string
		takes     time.Duration
		grace     time.Duration
		delivered bool
		within    time.Duration
	}{
		{"finishes in time", 3 * time.Second, 5 * time.Second, true, 3 * time.Second},
		{"takes too long", time.Hour, 5 * time.Second, false, 5 * time.Second},
		{"no grace", 3 * time.Second, 0, false, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				next, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error {
					select {
					case <-time.After(tc.takes):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				})
				require.NoError(t, err)
				d := New(Settings{
					ID: component.MustNewID("test"), Next: next, Retry: configretry.NewDefaultBackOffConfig(), Logger: zap.NewNop(), Grace: tc.grace,
				})
				logs := plog.NewLogs()
				logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- d.Deliver(ctx, logs) }()
				synctest.Wait()
				begin := time.Now()
				cancel()
				err = <-done
				require.Equal(t, tc.within, time.Since(begin))
				require.Equal(t, tc.delivered, err == nil, "%v", err)
			})
		})
	}
}

func TestLastOfferOfABisectMayFinishAfterTheContextHasEnded(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		small := 0
		r := newRig(t, func(logs plog.Logs) error {
			if logs.LogRecordCount() > 3 {
				return errPermanent
			}
			if small++; small == 2 {
				cancel()
				time.Sleep(time.Second) // virtual time
			}
			return nil
		}, func(s *Settings) { s.Grace = 5 * time.Second })
		logs := makeLogs(6)
		require.NoError(t, r.Deliver(ctx, logs), "everything was accepted, so nothing must be repeated")
		r.requireOnce(t, 6, logs)
	})
}
