// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

// holding makes the consumer sit on each call until release is called.
func holding() (decide func(plog.Logs) error, release func(error)) {
	answer := make(chan error)
	return func(plog.Logs) error { return <-answer }, func(err error) { answer <- err }
}

// parallel is a consumer that takes several calls at a time.
type parallel func(plog.Logs) error

func (parallel) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (p parallel) ConsumeLogs(_ context.Context, logs plog.Logs) error { return p(logs) }

// An exporter that retries for ever does not return while its backend is down.
func TestACallThatDoesNotReturnIsTrouble(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		decide, release := holding()
		r := newRig(t, decide)
		ended := make(chan error, 1)
		go func() { ended <- r.Deliver(t.Context(), makeLogs(3)) }()

		time.Sleep(time.Minute - time.Second)
		synctest.Wait()
		require.Empty(t, r.problems, "some backends are slow")
		require.Equal(t, time.Minute-time.Second, r.Pending())

		time.Sleep(3 * time.Hour)
		synctest.Wait()
		require.Equal(t, []error{errSlow}, r.problems)
		require.Equal(t, 1, r.logs.Len(), "one line, however long it lasts")
		require.Equal(t, 3*time.Hour+time.Minute-time.Second, r.Pending())

		release(nil)
		require.NoError(t, <-ended)
		require.Equal(t, []error{errSlow, nil}, r.problems)
		require.Len(t, r.logs.FilterMessageSnippet("returns again").All(), 1)
		require.Zero(t, r.Pending())
	})
}

func TestCallsThatReturnInTimeAreNoTrouble(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, func(plog.Logs) error { time.Sleep(59 * time.Second); return nil })
		for range 5 {
			require.NoError(t, r.Deliver(t.Context(), makeLogs(3)))
		}
		time.Sleep(time.Hour)
		require.Empty(t, r.problems)
		require.Zero(t, r.logs.Len())
	})
}

func TestSlowCallsSideBySideAreOneTrouble(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		decide, release := holding()
		r := newRig(t, nil, func(set *Settings) { set.Next = parallel(decide) })
		var delivering sync.WaitGroup
		for range 3 {
			delivering.Go(func() { _ = r.Deliver(t.Context(), makeLogs(1)) })
			time.Sleep(10 * time.Second)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, []error{errSlow}, r.problems)
		release(nil)
		release(nil)
		synctest.Wait()
		require.Equal(t, []error{errSlow}, r.problems, "another one is still under way")
		release(nil)
		delivering.Wait()
		require.Equal(t, []error{errSlow, nil}, r.problems)
		require.Equal(t, 2, r.logs.Len())
	})
}

// What the consumer says when it returns at last is told instead, and all is well only when both are over.
func TestARefusalTakesThePlaceOfACallThatDoesNotReturn(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		decide, release := holding()
		r := newRig(t, decide)
		ended := make(chan error, 1)
		go func() { ended <- r.Deliver(t.Context(), makeLogs(3)) }()
		time.Sleep(2 * time.Minute)
		release(errTransient)
		time.Sleep(2 * time.Minute) // retried, and held again
		synctest.Wait()
		require.Len(t, r.problems, 3)
		require.Equal(t, []error{errSlow, nil}, r.problems[:2])
		require.ErrorIs(t, r.problems[2], errTransient)
		release(nil)
		require.NoError(t, <-ended)
		require.NoError(t, r.problems[len(r.problems)-1])
		r.requireNoCanary(t)
	})
}
