// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
)

// zeros is a list of n events that take two bytes each.
func zeros(n int) string { return strings.TrimSuffix(strings.Repeat("0,", n), ",") }

// requireUIDs checks that the events of a single reply came under the uids of their places, and how often at most.
func (w *world) requireUIDs(n, most int) {
	w.t.Helper()
	w.sink.mu.Lock()
	defer w.sink.mu.Unlock()
	require.Len(w.t, w.sink.uids, n)
	places := map[string]bool{}
	for uid, times := range w.sink.uids {
		_, place, _ := strings.Cut(uid, "-")
		places[place] = true
		if times > most {
			require.Failf(w.t, "too often", "%s came %d times", uid, times)
		}
	}
	for i := range n {
		if place := fmt.Sprintf("%03d", i); !places[place] {
			require.Failf(w.t, "missing", "event %s", place)
		}
	}
}

func TestReplyIsMappedInPartsOfBoundedSize(t *testing.T) {
	for name, tt := range map[string]struct {
		body          string
		events, parts int
	}{
		"a normal reply": {`{"events":[` + strings.TrimSuffix(strings.Repeat(`{"a":"b"},`, 100), ",") + `]}`, 100, 1},
		"many events":    {"[" + zeros(3*partEvents+1) + "]", 3*partEvents + 1, 4},
		"a part exactly": {"[" + zeros(partEvents) + "]", partEvents, 1},
		"large events":   {`["` + strings.Repeat("x", partBytes-1) + `","y","` + strings.Repeat("z", 2*partBytes) + `","y"]`, 4, 4},
		"many, then cut": {"[" + zeros(partEvents) + ",[", partEvents, 1},
		"no event":       {"[]", 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMapping(createDefaultConfig().(*Config), "id", "1")
			entry := &spool.Entry{ID: "01KH5S6CJZ5T0E3WQ7N4B8XA2M", Batch: spool.Batch{Body: []byte(tt.body)}}
			mapper := m.mapper()
			events := 0
			var parts []parsed
			for u := unpack(entry); !u.ended; {
				parts = append(parts, u.part(&m, mapper))
				events += parts[len(parts)-1].events
				require.LessOrEqual(t, parts[len(parts)-1].logs.LogRecordCount(), partEvents+1)
				require.Equal(t, events, u.index)
			}
			require.Equal(t, tt.events, events)
			require.Len(t, parts, tt.parts)

			for from := range len(parts) { // goes on where a run has stopped
				u := unpack(entry)
				before := 0
				for _, p := range parts[:from] {
					before += p.events
				}
				u.skip(before)
				require.Equal(t, uids(parts[from].logs), uids(u.part(&m, mapper).logs))
			}
		})
	}
}

func uids(logs plog.Logs) []string {
	var all []string
	for _, rl := range logs.ResourceLogs().All() {
		for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
			uid, _ := lr.Attributes().Get(attrUID)
			all = append(all, uid.Str())
		}
	}
	slices.Sort(all)
	return all
}

func TestReplyOfManyEventsLeavesTheSpoolWithItsLastPart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const events = 5*partEvents + 7
		w := newWorld(t, saassecurity.Options{})
		w.sim.EnqueueRaw(zeros(events))
		accepted := 0
		w.sink.do(func(_ context.Context, logs plog.Logs) error {
			assert.Equal(t, 1, w.metric("saas_security_spool_entries"))
			if accepted == 3*partEvents {
				return errDown
			}
			accepted += logs.LogRecordCount()
			return nil
		})
		l := w.mustStart()
		time.Sleep(time.Minute)
		require.Equal(t, 3*partEvents, w.metric("saas_security_events_delivered"))
		l.stop(t)
		w.sink.do(nil)
		l = w.mustStart() // after a clean stop nothing comes twice
		time.Sleep(time.Minute)
		w.requireUIDs(events, 1)
		require.Zero(t, w.metric("saas_security_spool_entries"))
		require.Equal(t, events, w.metric("saas_security_events_delivered"))
		require.Empty(t, w.entryKeys())
		require.NotContains(t, strings.Join(w.disk.Keys(), " "), "spool_0/m", "what was noted is gone as well")
		l.stop(t)
	})
}

func TestGivingUpBetweenPartsRepeatsNone(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.RetryOnFailure.Enabled = false })
		const events = 4 * partEvents
		w.sim.EnqueueRaw(zeros(events))
		calls := 0
		w.sink.do(func(context.Context, plog.Logs) error {
			if calls++; calls%2 == 0 {
				return errDown
			}
			return nil
		})
		w.runFor(5 * time.Minute)
		w.requireUIDs(events, 1)
		require.Equal(t, events, w.metric("saas_security_events_read"), "however often they were tried")
	})
}

func TestCrashBetweenPartsLosesNothing(t *testing.T) {
	const events = 4
	body := strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("x", partBytes*2/3)+`",`, events), ",") // each a part
	for _, options := range [][]crashtest.Option{nil, {crashtest.NonAtomic(), crashtest.Unacknowledged()}} {
		for k, died := 0, true; died; k++ {
			bubble(t, func(t *testing.T) {
				c := &crashes{world: newWorld(t, saassecurity.Options{Latency: 10 * time.Millisecond})}
				c.sim.EnqueueRaw(body)
				died = c.live(append(slices.Clip(options), crashtest.CrashAfter(k))...)
				require.False(t, c.live(), "crash after write %d", k)
				if c.counted > 0 && len(c.sink.uids) == 0 {
					return // it was not committed
				}
				c.requireUIDs(events, 2)
				repeated := 0
				for _, times := range c.sink.uids {
					repeated += times - 1
				}
				require.LessOrEqual(t, repeated, 1, "crash after write %d", k)
				require.True(t, died || k > 10, "the test writes too little to be worth something: %d", k)
			})
		}
	}
}

// kills is a world whose process dies while a consumer that hangs holds a record with a certain text.
type kills struct {
	*world
	poison string
	after  time.Duration // how long the process works on it
}

// live starts a receiver and ends it as a kill does: the next one finds the disk as it was at that moment.
func (k *kills) live() (died bool) {
	k.t.Helper()
	var once sync.Once
	struck := make(chan struct{})
	dead := make(chan struct{})
	k.sink.do(func(_ context.Context, logs plog.Logs) error {
		select {
		case <-dead:
			return errDead
		default:
		}
		for _, rl := range logs.ResourceLogs().All() {
			for _, lr := range rl.ScopeLogs().At(0).LogRecords().All() {
				if strings.Contains(lr.Body().AsString(), k.poison) {
					once.Do(func() { close(struck) })
					<-dead
					return errDead
				}
			}
		}
		return nil
	})
	l := k.mustStart()
	select {
	case <-struck:
		time.Sleep(k.after)
		died = true
	case <-time.After(3 * time.Minute):
	}
	disk := k.disk.Clone()
	close(dead)
	if died {
		gone, cancel := context.WithCancel(k.t.Context())
		cancel()
		_ = l.Shutdown(gone)
		k.disk = disk
	} else {
		l.stop(k.t)
	}
	return died
}

func TestEntryThatEndsEveryRunIsPutAside(t *testing.T) {
	for name, large := range map[string]bool{"large": true, "small": false} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{Shape: saassecurity.ShapeSingle})
				w.sink.refuse(errDown)
				w.sim.Enqueue(6)
				poison := `{"poison":1}`
				if large {
					poison = `{"poison":"` + strings.Repeat("x", partBytes) + `"}`
				}
				w.sim.EnqueueRaw(poison)
				w.sim.Enqueue(6)
				w.runFor(10 * time.Second)
				k := &kills{world: w, poison: "poison", after: survived / 2}
				deaths := 0
				for deaths < 10 && k.live() {
					deaths++
				}
				require.Equal(t, maxBegun, deaths)
				require.Equal(t, 12, w.sink.events(), "those beside it are delivered")
				require.Equal(t, 1, w.metric("saas_security_spool_unfinished"))
				require.Empty(t, w.entryKeys())
				kept := false
				for _, key := range w.disk.Keys() {
					kept = kept || strings.HasPrefix(key, "/quarantine/item/")
				}
				require.True(t, kept)
			})
		})
	}
}

// A part whose mapping takes so much memory that the process ends may take long to get it.
func TestEntryThatEndsTheProcessAfterALongMappingStaysUnderSuspicion(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.fill(1)
		for run := range maxBegun {
			l := w.prepare()
			s := w.spool(l)
			e, err := s.Next(t.Context())
			require.NoError(t, err)
			require.Equal(t, run, e.Mark.Begun)
			a := &attempts{engine: &engine{spool: s, logger: w.logger, suspect: make(chan struct{}, 1)}, entry: e, mark: e.Mark, noted: true}
			require.NoError(t, a.begin(t.Context()))
			time.Sleep(time.Minute) // mapping; then the process is gone
			require.NoError(t, s.Close(t.Context()))
		}
	})
}

func TestConsumerThatHangsPutsNothingAside(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Shape: saassecurity.ShapeSingle})
		w.sink.refuse(errDown)
		w.sim.Enqueue(9)
		w.runFor(10 * time.Second)
		k := &kills{world: w, poison: "", after: survived + time.Second}
		for range 10 {
			require.True(t, k.live())
		}
		w.sink.do(nil)
		w.runFor(time.Minute)
		w.requireDelivered(upTo(9))
		require.Zero(t, w.metric("saas_security_spool_unfinished"))
	})
}

func TestMarkOfAnotherProgramDoesNotCount(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.fill(100)
		l := w.prepare()
		s := w.spool(l)
		e, err := s.Next(t.Context())
		require.NoError(t, err)
		require.NoError(t, s.Note(t.Context(), e, spool.Mark{Program: "older", Begun: maxBegun, Done: 70}))
		require.NoError(t, s.Close(t.Context()))
		w.runFor(time.Minute)
		w.requireDelivered(upTo(100))
		require.Zero(t, w.metric("saas_security_spool_unfinished"))
	})
}

func TestUnwritableMarkKeepsNothingFromBeingDelivered(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.fill(300)
		l := w.prepare()
		l.storage.FailSet = func(key string) error {
			if strings.Contains(key, "/m") {
				return errBroken
			}
			return nil
		}
		require.NoError(t, l.Start(t.Context(), l.host))
		time.Sleep(time.Minute)
		w.requireDelivered(upTo(300))
		l.stop(t)
	})
}

// What a reply of few bytes on the wire becomes must not depend on how many events it holds.
func TestPartOfMillionsOfEventsIsSmall(t *testing.T) {
	m := newMapping(createDefaultConfig().(*Config), "id", "1")
	entry := &spool.Entry{ID: "01KH5S6CJZ5T0E3WQ7N4B8XA2M", Batch: spool.Batch{Body: []byte("[" + zeros(1<<20) + "]")}}
	u, mapper, marshaler := unpack(entry), m.mapper(), plog.ProtoMarshaler{}
	require.Equal(t, 1<<20, u.reply.Len())
	for range 3 {
		require.Less(t, marshaler.LogsSize(u.part(&m, mapper).logs), 1<<20)
	}
}

// spool opens what the disk holds, as the receiver would.
func (w *world) spool(l *life) *spool.Spool {
	w.t.Helper()
	s, err := spool.Open(w.t.Context(), spool.Settings{
		Root: l.storage.Uncounted(""), OpenClient: l.storage.OpenClient, MaxBytes: 1 << 30, Logger: w.logger,
	})
	require.NoError(w.t, err)
	return s
}
