// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

// refusing makes the sink refuse whatever holds one of these events.
func (w *world) refusing(err error, events ...int64) {
	var bad [][]byte
	for _, n := range events {
		bad = append(bad, []byte(saassecurity.Marker(n)))
	}
	w.sink.do(func(_ context.Context, logs plog.Logs) error {
		for _, lr := range observed.Records(logs) {
			for _, marker := range bad {
				if bytes.Contains([]byte(lr.Body().AsString()), marker) {
					return err
				}
			}
		}
		return nil
	})
}

// More replies with a refused record than there are workers.
func TestRefusedRecordsStopNobodyElse(t *testing.T) {
	for name, err := range map[string]error{
		"plain": errors.New("failed to execute statement"), "permanent": consumererror.NewPermanent(errDown),
	} {
		for retry, change := range map[string]func(*Config){
			"endless": func(*Config) {},
			"none":    func(cfg *Config) { cfg.RetryOnFailure.Enabled = false },
			"short":   func(cfg *Config) { cfg.RetryOnFailure.MaxElapsedTime = 20 * time.Second },
		} {
			for shape, options := range map[string]saassecurity.Options{
				"full replies": {}, "replies of one event": {Shape: saassecurity.ShapeSingle},
			} {
				t.Run(fmt.Sprint(name, ", retries ", retry, ", ", shape), func(t *testing.T) {
					bubble(t, func(t *testing.T) {
						w := newWorld(t, options, change)
						const bad = 8
						w.refusing(err, 1, 2, 3, 4, 105, 206, 307, 408)
						w.sim.Enqueue(600)
						l := w.mustStart()
						time.Sleep(10 * time.Minute)
						require.Equal(t, 600-bad, w.sink.events(), "the others are through")
						require.Zero(t, w.metric("saas_security_events_quarantined"))
						w.traffic(400, 6*time.Hour)
						require.Equal(t, 1000-bad, w.sink.events(), "once each")
						require.Equal(t, 1000-bad, w.metric("saas_security_events_delivered"))
						require.Equal(t, bad, w.metric("saas_security_events_quarantined"))
						require.Zero(t, w.metric("saas_security_spool_entries"))
						l.stop(t)
					})
				})
			}
		}
	}
}

// What waits for a refused record must not make what is new wait.
func TestNewEventsArriveAtOnceBesideRefusedOnes(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Shape: saassecurity.ShapeSingle, LongPoll: 20 * time.Second})
		w.refusing(errors.New("failed to execute statement"), 1, 2, 3, 4, 5, 6)
		w.sim.Enqueue(6)
		l := w.mustStart()
		time.Sleep(10 * time.Minute)
		for n := range 100 {
			w.sim.Enqueue(1)
			time.Sleep(time.Minute)
			require.Equal(t, n+1, w.sink.events())
		}
		l.stop(t)
	})
}

func TestOneBadNodeOfTwoQuarantinesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		var mu sync.Mutex // of r
		r := rand.New(rand.NewPCG(3, 4))
		random := func() int {
			mu.Lock()
			defer mu.Unlock()
			return r.IntN(2)
		}
		w.sink.do(func(context.Context, plog.Logs) error {
			if random() == 0 {
				return consumererror.NewPermanent(errors.New("500"))
			}
			return nil
		})
		l := w.mustStart()
		for range 400 {
			w.sim.Enqueue(1 + random())
			time.Sleep(10 * time.Second)
		}
		w.sink.do(nil) // the node is mended
		time.Sleep(10 * time.Minute)
		require.Equal(t, w.sim.Ledger().Enqueued, w.sink.events())
		require.Zero(t, w.metric("saas_security_events_quarantined"))
		require.Empty(t, l.host.troubles())
		l.stop(t)
	})
}

func TestWhatCameThroughIsRememberedWithinBounds(t *testing.T) {
	reply := func(n, size int) plog.Logs {
		logs := plog.NewLogs()
		records := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for i := range size {
			records.AppendEmpty().Attributes().PutStr(attrUID, fmt.Sprintf("%d-%03d", n, i))
		}
		return logs
	}
	left := func(n int) plog.Logs { return reply(n, 1) }
	a := newAsides()
	const size = 101
	for n := range maxRemembered/100 + 5 {
		a.note(reply(n, size), left(n), n, n)
	}
	require.LessOrEqual(t, a.total, maxRemembered)
	rest, _ := a.remaining(reply(0, size))
	require.Equal(t, size, rest.LogRecordCount(), "the oldest went first")
	last := maxRemembered/100 + 4
	rest, before := a.remaining(reply(last, size))
	require.Equal(t, 1, rest.LogRecordCount())
	require.Equal(t, last, before.quarantined)
	require.Equal(t, size, reply(last, size).LogRecordCount(), "the reply itself is untouched")

	a.note(reply(last, size), reply(last, size), 0, 0)
	rest, _ = a.remaining(reply(last, size))
	require.Equal(t, size, rest.LogRecordCount(), "nothing came through")
	for n := range last {
		a.passed(reply(n, size))
	}
	require.Zero(t, a.total)
	require.Empty(t, a.order)

	entry := &spool.Entry{Seq: 7}
	first := a.wait(entry)
	for range 20 {
		a.wait(entry)
	}
	require.Greater(t, a.wait(entry), first)
	a.ended(entry)
	require.Equal(t, first, a.wait(entry))
}
