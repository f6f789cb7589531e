// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package reoffer

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configretry"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/quarantine"
)

var (
	errTransient = errors.New("unavailable")
	errPermanent = consumererror.NewPermanent(errors.New("bad request"))
)

// backend takes the records whose names verdicts does not refuse.
type backend struct {
	mu       sync.Mutex
	verdicts map[string]error
	down     error // of everything
	calls    []time.Time
	accepted []string
}

func (*backend) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (b *backend) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls = append(b.calls, time.Now())
	name := nameOf(logs)
	if b.down != nil {
		return b.down
	}
	if err := b.verdicts[name]; err != nil {
		return err
	}
	b.accepted = append(b.accepted, name)
	return nil
}

func (b *backend) set(name string, verdict error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.verdicts[name] = verdict
}

func (b *backend) took() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.accepted)
}

func (b *backend) called() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.calls)
}

func record(name string) plog.Logs {
	logs := plog.NewLogs()
	lr := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	lr.Attributes().PutStr("log.record.uid", name)
	return logs
}

func nameOf(logs plog.Logs) string {
	uid, _ := logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes().Get("log.record.uid")
	return uid.Str()
}

// rig is a quarantine with records, and a backend.
type rig struct {
	Settings
	backend *backend
	logs    *observer.ObservedLogs
	counted []string // by OnAccepted
	changes int
}

func newRig(t *testing.T, client storage.Client) *rig {
	t.Helper()
	store, err := quarantine.Open(t.Context(), client, quarantine.Limits{})
	require.NoError(t, err)
	core, logs := observer.New(zapcore.InfoLevel)
	r := &rig{backend: &backend{verdicts: map[string]error{}}, logs: logs}
	r.Settings = Settings{
		Store: store, Interval: DefaultInterval, Logger: zap.New(core),
		Deliverer: delivery.New(delivery.Settings{
			ID: component.MustNewID("some_receiver"), Next: r.backend, Retry: configretry.NewDefaultBackOffConfig(), Logger: zap.New(core),
		}),
		OnAccepted: func(_ quarantine.Entry, logs plog.Logs) { r.counted = append(r.counted, nameOf(logs)) },
		OnChange:   func() { r.changes++ },
	}
	return r
}

func (r *rig) put(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		data, err := new(plog.ProtoMarshaler).MarshalLogs(record(name))
		require.NoError(t, err)
		require.NoError(t, r.Store.Put(t.Context(), quarantine.Entry{Reason: "refused", Data: data, Format: quarantine.FormatOTLPProto}))
	}
}

// kept are the names of the records in a quarantine.
func kept(t *testing.T, store *quarantine.Store) []string {
	t.Helper()
	entries, err := store.List(t.Context())
	require.NoError(t, err)
	names := []string{}
	for _, entry := range entries {
		logs, err := new(plog.ProtoUnmarshaler).UnmarshalLogs(entry.Data)
		require.NoError(t, err)
		names = append(names, nameOf(logs))
	}
	return names
}

// run offers for a time.
func (r *rig) run(t *testing.T, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	Run(ctx, r.Settings)
}

func TestWhatIsAcceptedLeavesAndWhatIsRefusedStays(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, crashtest.NewDisk().Client())
		r.put(t, "a", "poison", "b")
		r.backend.set("poison", errPermanent)
		r.run(t, 23*time.Hour)
		require.Equal(t, []string{"a", "b"}, r.backend.took())
		require.Equal(t, []string{"a", "b"}, r.counted)
		require.Equal(t, []string{"poison"}, kept(t, r.Store))
		require.Equal(t, 3, r.backend.called(), "once each")
		require.Positive(t, r.changes)
		require.Equal(t, 1, r.logs.Len(), "a round is one line: %v", r.logs.All())
	})
}

func TestEverythingIsOfferedAgainEveryInterval(t *testing.T) {
	for _, tt := range []struct {
		name     string
		interval time.Duration
		want     int
	}{
		{"by default", DefaultInterval, 5},
		{"hourly", time.Hour, 97},
		{"at the start only", 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				r := newRig(t, crashtest.NewDisk().Client())
				r.Interval = tt.interval
				r.put(t, "poison")
				r.backend.set("poison", errPermanent)
				r.run(t, 4*24*time.Hour+time.Second)
				require.Equal(t, tt.want, r.backend.called())
				require.Equal(t, []string{"poison"}, kept(t, r.Store))
			})
		})
	}
}

// A rule of the backend was changed in between.
func TestARecordThatIsAcceptedLaterLeavesThen(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, crashtest.NewDisk().Client())
		r.put(t, "a")
		r.backend.set("a", errPermanent)
		time.AfterFunc(30*time.Hour, func() { r.backend.set("a", nil) })
		time.AfterFunc(time.Hour, func() { r.put(t, "new") })
		r.run(t, 47*time.Hour)
		require.Equal(t, []string{"new"}, r.backend.took(), "what came in meanwhile is offered in the next round")
		r.run(t, time.Hour)
		require.Equal(t, []string{"new", "a"}, r.backend.took())
		require.Empty(t, kept(t, r.Store))
	})
}

func TestABackendThatIsDownGetsFewRequestsAndThenEverything(t *testing.T) {
	for name, refusal := range map[string]error{"transient": errTransient, "permanent": errPermanent} {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				r := newRig(t, crashtest.NewDisk().Client())
				var all []string
				for i := range 100 {
					all = append(all, strconv.Itoa(i))
				}
				r.put(t, all...)
				r.backend.down = refusal
				const outage = 5 * time.Hour
				time.AfterFunc(outage, func() {
					require.Less(t, r.backend.called(), int(outage/maxPause), "not more than one in thirty seconds")
					r.backend.mu.Lock()
					defer r.backend.mu.Unlock()
					r.backend.down = nil
				})
				r.run(t, 26*time.Hour)
				require.ElementsMatch(t, all, r.backend.took())
				require.Empty(t, kept(t, r.Store))
				if name == "transient" {
					last := r.backend.calls[len(r.backend.calls)-1]
					require.Less(t, last.Sub(r.backend.calls[0]), outage+2*maxRest, "it does not take until the next day")
				}
			})
		})
	}
}

// One that is always refused for now does not stand in the way of the others.
func TestRecordsDoNotWaitForEachOther(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, crashtest.NewDisk().Client())
		r.put(t, "x", "y", "a", "b", "c")
		r.backend.set("x", errTransient)
		r.backend.set("y", errPermanent)
		r.run(t, time.Minute)
		require.Equal(t, []string{"a", "b", "c"}, r.backend.took())
		require.Equal(t, []string{"x", "y"}, kept(t, r.Store))
	})
}

func TestWhatIsNoRecordStays(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		disk := crashtest.NewDisk()
		r := newRig(t, disk.Client())
		r.put(t, "damaged", "a")
		require.NoError(t, r.Store.Put(t.Context(), quarantine.Entry{Data: []byte("bytes"), Format: quarantine.FormatRaw}))
		require.NoError(t, r.Store.Put(t.Context(), quarantine.Entry{Data: []byte("no records"), Format: quarantine.FormatOTLPProto}))
		disk.Flip(t, "quarantine/item/1", 90)
		r.run(t, time.Hour)
		require.Equal(t, []string{"a"}, r.backend.took())
		require.Equal(t, quarantine.Stats{Entries: 3, Bytes: r.Store.Stats().Bytes, Unreadable: 1}, r.Store.Stats())
	})
}

// The storage fails; the record must not be delivered again and again meanwhile.
func TestAnAcceptedRecordIsDeletedAsSoonAsThatWorks(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		disk := crashtest.NewDisk()
		newRig(t, disk.Client()).put(t, "a", "b")
		broken := errors.New("input/output error")
		r := newRig(t, disk.Client(crashtest.FailDelete("quarantine/item/1", 20, broken)))
		r.run(t, time.Hour)
		require.Equal(t, []string{"a", "b"}, r.backend.took())
		require.Equal(t, []string{"a", "b"}, r.counted)
		require.Empty(t, kept(t, r.Store))
		require.Len(t, r.logs.FilterMessageSnippet("cannot be deleted").All(), 1)
	})
}

func TestAnUnreadableEntryIsTriedAgain(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		disk := crashtest.NewDisk()
		newRig(t, disk.Client()).put(t, "a", "b")
		r := newRig(t, disk.Client(crashtest.FailGet("quarantine/item/1", 3, errors.New("input/output error"))))
		r.run(t, time.Hour)
		require.Equal(t, []string{"b", "a"}, r.backend.took())
		require.Empty(t, kept(t, r.Store))
	})
}

// Whenever the process dies, and twice: no record is lost, and each death repeats one at most.
func TestCrashAfterEveryWriteLosesNoQuarantinedRecord(t *testing.T) {
	for name, mode := range map[string][]crashtest.Option{
		"atomic":                     nil,
		"one by one":                 {crashtest.NonAtomic()},
		"one by one, unacknowledged": {crashtest.NonAtomic(), crashtest.Unacknowledged()},
	} {
		t.Run(name, func(t *testing.T) {
			points := 0
			for first := 0; ; first++ {
				require.Less(t, first, 100)
				if !crashes(t, mode, first, -1) {
					points = first
					break
				}
				for second := 0; crashes(t, mode, first, second); second++ {
					require.Less(t, second, 100)
				}
			}
			require.GreaterOrEqual(t, points, 3, "too few crash points were visited")
		})
	}
}

// crashes lives twice, with a crash after so many writes each, and then a last time without. It reports whether the last of the
// crashes that were asked for has happened.
func crashes(t *testing.T, mode []crashtest.Option, first, second int) (happened bool) {
	t.Helper()
	virtualtime.Test(t, func(t *testing.T) {
		disk := crashtest.NewDisk()
		newRig(t, disk.Client()).put(t, "a", "poison", "b", "c")
		times := map[string]int{}
		died := 0
		for _, k := range []int{first, second, -1} {
			ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
			client := disk.Client(append(slices.Clone(mode), crashtest.CrashAfter(k), crashtest.OnCrash(cancel))...)
			store, err := quarantine.Open(ctx, client, quarantine.Limits{})
			if err == nil {
				r := newRig(t, disk.Clone().Client())
				r.Store = store
				r.backend.set("poison", errPermanent)
				Run(ctx, r.Settings)
				for _, name := range r.backend.took() {
					times[name]++
				}
			}
			cancel()
			happened = happened && k < 0 || client.Crashed()
			if client.Crashed() {
				died++
			}
		}
		store, err := quarantine.Open(t.Context(), disk.Client(), quarantine.Limits{})
		require.NoError(t, err)
		require.Equal(t, []string{"poison"}, kept(t, store))
		surplus := 0
		for _, name := range []string{"a", "b", "c"} {
			require.Positive(t, times[name], "%s is lost", name)
			surplus += times[name] - 1
		}
		require.LessOrEqual(t, surplus, died)
	})
	return happened
}

func TestTheIntervalIsChecked(t *testing.T) {
	for _, tt := range []struct {
		interval time.Duration
		ok       bool
	}{
		{DefaultInterval, true}, {0, true}, {time.Minute, true}, {time.Minute - 1, false}, {-time.Second, false}, {time.Nanosecond, false},
	} {
		err := Config{RetryInterval: tt.interval}.Check("quarantine")
		if tt.ok {
			require.NoError(t, err, tt.interval)
			continue
		}
		require.ErrorContains(t, err, "quarantine::retry_interval must be at least 1m, or 0s")
	}
	require.Equal(t, Config{RetryInterval: 24 * time.Hour}, NewDefaultConfig())
}
