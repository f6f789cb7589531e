// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

// traffic is a world with steady events for a day ahead, read from now on.
func traffic(t *testing.T, configure ...func(*Config)) *world {
	t.Helper()
	w := newWorld(t, sapbtp.Options{Seed: 31}, append([]func(*Config){func(c *Config) { c.InitialLookback = 0 }}, configure...)...)
	w.sim.Generate(w.sub.Tenant, 4000, time.Now().Add(time.Second), time.Now().Add(24*time.Hour))
	return w
}

func TestARestartGoesOnWhereReadingStopped(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		for _, outage := range []time.Duration{0, time.Second, time.Minute, 3 * time.Hour} {
			w.runFor(90 * time.Minute)
			time.Sleep(outage)
		}
		w.runFor(24 * time.Hour)
		w.requireExactlyOnce()
	})
}

func TestTheTimeBetweenAFirstStartAndTheFirstPageIsNotForgotten(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		require.NoError(t, w.sim.Script(sapbtp.Rule{Fault: sapbtp.Fault{Kind: sapbtp.FaultReset}}))
		w.runFor(time.Hour) // never gets a token
		require.NoError(t, w.sim.Script())
		time.Sleep(time.Hour)
		w.runFor(24 * time.Hour)
		w.requireExactlyOnce()
	})
}

func TestADamagedCopyOfTheProgressIsMadeUpFor(t *testing.T) {
	for _, slot := range []string{"/progress/0", "/progress/1"} {
		t.Run(slot, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := traffic(t)
				w.runFor(2 * time.Hour)
				w.disk.Flip(t, keyOf(w, slot), -20)
				w.runFor(24 * time.Hour)
				w.requireExactlyOnce()
				require.Empty(t, w.logs.FilterMessageSnippet("damaged").All())
			})
		})
	}
}

// Losing the progress must never look like a first start: everything that SAP still has is read again.
func TestLostProgressIsNeverAFirstStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		w.runFor(2 * time.Hour)
		w.disk.Flip(t, keyOf(w, "/progress/0"), -20)
		w.disk.Flip(t, keyOf(w, "/progress/1"), -20)
		time.Sleep(10 * time.Hour)
		w.runFor(24 * time.Hour)
		w.requireComplete()
		require.Len(t, w.logs.FilterMessageSnippet("progress is damaged").All(), 1)
	})
}

func TestSeenEventsThatAreDamagedAreRepeatedWithTheSameUID(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		w.runFor(2 * time.Hour)
		for _, key := range w.disk.Keys() {
			if strings.Contains(key, "/seen/") {
				w.disk.Flip(t, key, -20)
			}
		}
		w.runFor(24 * time.Hour)
		w.requireComplete()
		repeated := 0
		for _, n := range w.sim.Ledger().Duplicates(w.sink.delivered()) {
			repeated += n
		}
		require.Positive(t, repeated)
		require.Len(t, w.sink.ids, len(w.sink.uids)+repeated)
		require.NotEmpty(t, w.logs.FilterMessageSnippet("Ids of delivered events are damaged").All())
	})
}

func TestStartFailsOnWhatOnlyTheOperatorCanMend(t *testing.T) {
	disk := errors.New("disk gone")
	for _, tc := range []struct {
		name    string
		prepare func(*world)
		options []crashtest.Option
		says    string
	}{
		{"unreadable progress", nil, []crashtest.Option{crashtest.FailGet("", 1, disk)}, "disk gone"},
		{"progress cannot be written", nil, []crashtest.Option{crashtest.FailSet("", -1, disk)}, "disk gone"},
		{"full storage", nil, []crashtest.Option{crashtest.MaxBytes(1)}, storage.ErrStorageFull.Error()},
		{"newer format", func(w *world) {
			raw, err := durable.Seal(checkpointVersion+1, checkpoint{Progress: sweep.New([]time.Duration{0}, 0)})
			require.NoError(w.t, err)
			client := w.disk.Client()
			require.NoError(w.t, client.Set(w.t.Context(), keyOf(w, "/progress/1"), raw))
			require.NoError(w.t, client.Close(w.t.Context()))
		}, nil, "newer"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := traffic(t)
				if tc.prepare != nil {
					tc.prepare(w)
				}
				_, ext, err := w.start(tc.options...)
				require.ErrorContains(t, err, tc.says)
				require.True(t, ext.Released(), "a failed start leaves the storage to the next one")
			})
		})
	}
}

func TestAnAPIThatIsDownNeverFailsStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		require.NoError(t, w.sim.Script(sapbtp.Rule{Fault: sapbtp.Fault{Kind: sapbtp.FaultReset}}))
		_, _, err := w.start()
		require.NoError(t, err)
	})
}

// A storage that fails for a while stops reading, not the receiver: without checkpoints everything would be repeated after
// a crash.
func TestReadingWaitsForTheStorage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		w.runFor(time.Hour)
		r, _, err := w.start(crashtest.FailSet("", 30, storage.ErrStorageFull))
		require.NoError(t, err)
		time.Sleep(24 * time.Hour)
		require.NoError(t, r.Shutdown(t.Context()))
		w.requireExactlyOnce()
		require.Len(t, w.logs.FilterMessageSnippet("Saving the checkpoint failed").All(), 1, "not one a try")
		require.Len(t, w.logs.FilterMessageSnippet("Saving the checkpoint works again").All(), 1)
	})
}

func TestTheStateStaysSmall(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 32}, func(c *Config) {
			c.InitialLookback = 60 * 24 * time.Hour
			c.Sweeps = []time.Duration{0, time.Hour}
		})
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 20_000, now.Add(-60*24*time.Hour+time.Minute), now)
		w.runFor(3 * time.Hour)
		w.requireExactlyOnce()
		require.Less(t, len(w.disk.Keys()), 40, "what no sweep will read again is forgotten: %v", w.disk.Keys())
	})
}

func TestChangedSweepsNeitherLoseNorRepeat(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		base := w.configure
		for _, sweeps := range [][]time.Duration{
			{0, 10 * time.Minute},
			{0, 5 * time.Minute, 2 * time.Hour},
			{0},
			{0, time.Minute, 30 * time.Minute, 6 * time.Hour},
		} {
			w.configure = func(c *Config) { base(c); c.Sweeps = sweeps }
			w.runFor(5 * time.Hour)
		}
		w.runFor(24 * time.Hour)
		w.requireExactlyOnce()
	})
}

// afterRetention is a world that went on after an outage for longer than SAP keeps events.
func afterRetention(t *testing.T) *world {
	t.Helper()
	w := traffic(t)
	w.runFor(time.Hour)
	time.Sleep(100 * 24 * time.Hour)
	w.sink.keep = true
	w.runFor(time.Hour)
	return w
}

// After an outage longer than SAP keeps events there is a hole, and it is announced in the stream.
func TestWhatSAPNoLongerKeepsIsAnnouncedAsAGap(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := afterRetention(t)
		gaps := w.sink.gaps()
		require.Len(t, gaps, 1)
		require.Equal(t, "retention", gaps[0]["sap.btp.audit.gap.reason"])
		require.InDelta(t, 10*24*3600, gaps[0]["sap.btp.audit.gap.seconds"], 7200)
		w.runFor(time.Hour)
		require.Equal(t, 1, w.sink.count("sap.btp.audit.gap"), "once")
	})
}

func TestAClockThatRanAheadLosesNothing(t *testing.T) {
	for name, readings := range map[string]sapbtp.Readings{"with Date": {}, "without Date": {NoDate: true}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				// The simulator lives an hour behind the receiver's clock, and then both agree.
				var behind time.Duration
				w := newWorld(t, sapbtp.Options{Seed: 33, Readings: readings, Now: func() time.Time { return time.Now().Add(-behind) }})
				behind = time.Hour
				start := time.Now()
				w.sim.Generate(w.sub.Tenant, 3000, start.Add(-2*time.Hour), start.Add(6*time.Hour))
				w.runFor(30 * time.Minute)
				behind = 0
				w.runFor(20 * time.Hour)
				w.requireComplete()
			})
		})
	}
}

// A clock that is set back shows as progress in the future, whatever else is still unread.
func TestAClockThatWasSetBackLosesNothing(t *testing.T) {
	for name, hole := range map[string]bool{"all is read": false, "a second cannot be read": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 34, Readings: sapbtp.Readings{NoDate: true}})
				start := time.Now()
				w.sim.Generate(w.sub.Tenant, 1000, start.Add(21*time.Minute), start.Add(10*time.Hour))
				if hole {
					fail := answer(http.StatusInternalServerError, "")
					w.transport = &badSecond{next: w.transport, second: start.Add(-3 * time.Hour), fail: fail}
				}
				r, _, err := w.start()
				require.NoError(t, err)
				time.Sleep(20 * time.Minute)

				// What a poll leaves while the clock is a day ahead.
				s := r.list()[0]
				require.NoError(t, s.delivering.enter(t.Context()))
				ahead := s.progress.Clone()
				tomorrow := time.Now().Add(24 * time.Hour).Unix()
				ahead.Record(sweep.Span{From: time.Now().Add(-10 * time.Minute).Unix(), To: tomorrow}, tomorrow)
				require.NoError(t, s.saveProgress(t.Context(), ahead))
				s.delivering.leave()

				time.Sleep(24 * time.Hour)
				require.NoError(t, r.Shutdown(t.Context()))
				w.requireExactlyOnce()
				require.Len(t, w.logs.FilterMessageSnippet("The clock was set back").All(), 1)
			})
		})
	}
}

func keyOf(w *world, suffix string) string {
	id := strings.TrimPrefix(w.sub.TokenURL, "https://")
	return id + suffix
}

func TestShutdownIsSafeWithoutStartAndTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		r, _, err := w.start()
		require.NoError(t, err)
		require.NoError(t, r.Shutdown(context.Background()))
		require.NoError(t, r.Shutdown(context.Background()))
	})
}
