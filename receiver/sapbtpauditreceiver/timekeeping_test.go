// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// shift is by how much a clock differs from the test's. Others read it while the test changes it.
type shift struct{ atomic.Int64 }

func shifted(by time.Duration) *shift {
	s := &shift{}
	s.to(by)
	return s
}

func (s *shift) by() time.Duration   { return time.Duration(s.Load()) }
func (s *shift) to(by time.Duration) { s.Store(int64(by)) }

// apart is a world whose server lives at another time than the receiver, by what off says at each moment, with an event every
// two minutes from three hours before its beginning to five hours after it.
func apart(t *testing.T, off *shift, options sapbtp.Options, configure ...func(*Config)) *world {
	t.Helper()
	options.Now = func() time.Time { return time.Now().Add(off.by()) }
	w := newWorld(t, options, append([]func(*Config){func(c *Config) {
		c.InitialLookback = 0
		c.Sweeps = []time.Duration{0, 10 * time.Minute, 90 * time.Minute}
	}}, configure...)...)
	at := options.Now()
	w.sim.Generate(w.sub.Tenant, 240, at.Add(-3*time.Hour), at.Add(5*time.Hour))
	return w
}

// requireFrom checks that what was visible some time ago is there once if it is not older than from, and nothing else.
func (w *world) requireFrom(from time.Time) {
	w.t.Helper()
	w.requireExactlyOnce(sapbtp.Between(from, from.Add(10*day)))
	for e := range w.sim.Ledger().Entries(sapbtp.Between(from.Add(-10*day), from.Add(-5*time.Second))) {
		require.NotContains(w.t, w.sink.delivered(), e.ID, "%s is older than %s", e.Time, from)
	}
}

// What lies between the server's clock and a local one that is ahead has not happened yet, and is to be read.
func TestAFirstStartBeginsByTheClockThatIsBehind(t *testing.T) {
	for name, tc := range map[string]struct {
		off, lookback time.Duration
		readings      sapbtp.Readings
	}{
		"ahead by seconds":         {off: -10 * time.Second},
		"ahead by an hour":         {off: -time.Hour},
		"ahead by days":            {off: -3 * day},
		"ahead, with a lookback":   {off: -time.Hour, lookback: 2 * time.Hour},
		"ahead by more than kept":  {off: -200 * day, lookback: 2 * time.Hour},
		"in step":                  {},
		"undated, and in step":     {readings: sapbtp.Readings{NoDate: true}},
		"in step, with a lookback": {lookback: 2 * time.Hour},
		"behind":                   {off: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := apart(t, shifted(tc.off), sapbtp.Options{Seed: 101, Readings: tc.readings}, func(c *Config) { c.InitialLookback = tc.lookback })
				from := time.Now().Add(min(0, tc.off)).Add(-tc.lookback)
				w.runFor(8 * time.Hour)
				w.requireFrom(from)
			})
		})
	}
}

// The beginning is in doubt until an answer has come, however often the receiver is started until then.
func TestAFirstStartIsSettledByTheFirstAnswerAlsoAfterRestarts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const off = -time.Hour
		w := apart(t, shifted(off), sapbtp.Options{Seed: 102})
		from := time.Now().Add(off)
		require.NoError(t, w.sim.Script(sapbtp.Rule{Fault: sapbtp.Fault{Kind: sapbtp.FaultReset}}))
		for range 3 {
			w.runFor(5 * time.Minute)
		}
		require.NoError(t, w.sim.Script())
		for range 3 {
			w.runFor(50 * time.Second) // too short to be sure
		}
		w.runFor(8 * time.Hour)
		w.requireFrom(from)
	})
}

// A local clock that was corrected before an answer came has left a beginning that nothing contradicts any more but the time at
// which it was noted.
func TestAFirstStartByAClockThatIsCorrectedBeforeAnAnswerComesIsMended(t *testing.T) {
	for name, tc := range map[string]struct {
		readings sapbtp.Readings
		restart  bool
	}{
		"and the receiver started again":          {restart: true},
		"while running":                           {},
		"undated, and the receiver started again": {readings: sapbtp.Readings{NoDate: true}, restart: true},
		"undated, while running":                  {readings: sapbtp.Readings{NoDate: true}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := apart(t, &shift{}, sapbtp.Options{Seed: 107, Readings: tc.readings}, func(c *Config) { c.InitialLookback = 2 * time.Hour })
				set := shifted(time.Hour)
				w.local = func() time.Time { return time.Now().Add(set.by()) }
				from := time.Now().Add(-2 * time.Hour)
				require.NoError(t, w.sim.Script(sapbtp.Rule{Fault: sapbtp.Fault{Kind: sapbtp.FaultReset}}))
				r, _, err := w.start()
				require.NoError(t, err)
				time.Sleep(2 * time.Minute)
				set.to(0)
				if tc.restart {
					require.NoError(t, r.Shutdown(t.Context()))
					r, _, err = w.start()
					require.NoError(t, err)
				}
				require.NoError(t, w.sim.Script())
				time.Sleep(8 * time.Hour)
				require.NoError(t, r.Shutdown(t.Context()))
				w.requireExactlyOnce(sapbtp.Between(from.Add(3*time.Minute), from.Add(day)))
			})
		})
	}
}

func TestADateOutOfACacheDoesNotBeginAFirstStart(t *testing.T) {
	for _, text := range []string{"Wed, 01 Jan 2020 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT"} {
		t.Run(text, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				const off = time.Duration(0)
				w := apart(t, shifted(off), sapbtp.Options{Seed: 103})
				from := time.Now()
				require.NoError(t, w.sim.Script(sapbtp.Rule{
					Match: sapbtp.Match{Kind: sapbtp.KindRecords}, Times: 2, Fault: sapbtp.Fault{Kind: sapbtp.FaultDate, Text: text},
				}))
				w.runFor(8 * time.Hour)
				w.requireFrom(from)
			})
		})
	}
}

// A start that an earlier release has stored in the future is mended too.
func TestAStoredStartInTheFutureIsTakenBack(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const off = -time.Hour
		w := apart(t, shifted(off), sapbtp.Options{Seed: 104})
		from := time.Now().Add(off)
		require.NoError(t, w.sim.Script(sapbtp.Rule{Fault: sapbtp.Fault{Kind: sapbtp.FaultReset}}))
		r, _, err := w.start()
		require.NoError(t, err)
		s := r.list()[0]
		require.NoError(t, s.delivering.enter(t.Context()))
		s.store.marks = timeMarks{}
		s.unsettled.Store(false)
		require.NoError(t, s.saveProgress(t.Context(), s.progress))
		s.delivering.leave()
		require.NoError(t, r.Shutdown(t.Context()))
		require.NoError(t, w.sim.Script())
		w.runFor(8 * time.Hour)
		w.requireExactlyOnce(sapbtp.Between(from, from.Add(day)))
	})
}

// What Dates have proven to have passed is not read again because the local clock is set back, and what comes next is not lost.
func TestALocalClockThatIsSetBackRepeatsNothingThatDatesHaveProven(t *testing.T) {
	for name, restart := range map[string]bool{"while running": false, "while stopped": true} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				var set shift
				w := apart(t, &shift{}, sapbtp.Options{Seed: 105})
				w.local = func() time.Time { return time.Now().Add(set.by()) }
				from := time.Now()
				var host *healthHost
				var r *auditReceiver
				begin := func() {
					host = &healthHost{Host: crashtest.NewHost(crashtest.NewExtension(w.disk))}
					var err error
					r, err = w.startOn(host)
					require.NoError(t, err)
				}
				pause := func() {
					if restart {
						require.NoError(t, r.Shutdown(t.Context()))
						begin()
					}
				}
				begin()
				time.Sleep(3 * time.Hour)
				set.to(-4 * time.Hour)
				pause()
				time.Sleep(30 * time.Minute)
				assert.Contains(t, host.health(), "the local clock is 4h0m", "that events are late is said")
				assert.Len(t, w.logs.FilterMessageSnippet("The local clock is behind").All(), 1)
				assert.Empty(t, w.logs.FilterMessageSnippet("The clock was set back").All())
				time.Sleep(time.Hour)
				set.to(0)
				pause()
				time.Sleep(4 * time.Hour)
				require.NoError(t, r.Shutdown(context.Background()))
				require.Empty(t, host.health())
				w.requireFrom(from)
			})
		})
	}
}

func TestALocalClockThatJumpsAheadLosesNothing(t *testing.T) {
	for name, fault := range map[string]sapbtp.Rule{
		"with Dates":       {Match: sapbtp.Match{Every: 1 << 30}, Fault: sapbtp.Fault{Kind: sapbtp.FaultNoDate}},
		"some without":     {Match: sapbtp.Match{Kind: sapbtp.KindRecords, Every: 3}, Fault: sapbtp.Fault{Kind: sapbtp.FaultNoDate}},
		"some far ahead":   {Match: sapbtp.Match{Kind: sapbtp.KindRecords, Every: 3}, Fault: sapbtp.Fault{Kind: sapbtp.FaultDate, Text: "Fri, 01 Jan 2100 00:00:00 GMT"}},
		"some out of date": {Match: sapbtp.Match{Kind: sapbtp.KindRecords, Every: 3}, Fault: sapbtp.Fault{Kind: sapbtp.FaultDate, Text: "Wed, 01 Jan 2020 00:00:00 GMT"}},
	} {
		for _, step := range []time.Duration{2 * time.Hour, 100 * day} {
			t.Run(name+" by "+step.String(), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					var set shift
					w := apart(t, &shift{}, sapbtp.Options{Seed: 106})
					w.local = func() time.Time { return time.Now().Add(set.by()) }
					require.NoError(t, w.sim.Script(fault))
					from := time.Now()
					r, _, err := w.start()
					require.NoError(t, err)
					for _, by := range []time.Duration{0, step, 0, step} {
						set.to(by)
						time.Sleep(time.Hour)
					}
					set.to(0)
					time.Sleep(4 * time.Hour)
					require.NoError(t, r.Shutdown(t.Context()))
					assert.Zero(t, w.sink.count("sap.btp.audit.gap"), "%q", w.messages(zapcore.WarnLevel))
					w.requireFrom(from)
				})
			})
		}
	}
}

// While the machine sleeps, its clock and the server's go on, and the time that the receiver counts does not.
func TestAMachineThatSleptGoesOnAtOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var off shift
		w := apart(t, &off, sapbtp.Options{Seed: 107})
		w.local = func() time.Time { return time.Now().Add(off.by()) }
		from := time.Now()
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(2 * time.Hour)
		off.to(3 * time.Hour)
		awake := time.Now()
		time.Sleep(3 * time.Minute)
		before := sapbtp.Between(from, awake.Add(off.by()).Add(-time.Minute))
		assert.Empty(t, w.sim.Ledger().Missing(w.sink.delivered(), before, sapbtp.VisibleBy(awake.Add(off.by()))))
		time.Sleep(4 * time.Hour)
		require.NoError(t, r.Shutdown(t.Context()))
		w.requireFrom(from)
	})
}

// Without Dates the local clock may be wrong, so that nothing is given up because of it; what SAP has deleted is a gap nevertheless.
func TestWithoutDatesWhatSAPNoLongerKeepsIsReadAndFoundMissing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		w.sim.Configure(func(r *sapbtp.Readings) { r.NoDate = true })
		w.runFor(time.Hour)
		time.Sleep(100 * day)
		w.sink.keep = true
		w.runFor(3 * time.Hour)
		seconds := int64(0)
		for _, gap := range w.sink.gaps() {
			assert.Equal(t, "retention", gap["sap.btp.audit.gap.reason"])
			n, _ := gap["sap.btp.audit.gap.seconds"].(int64)
			seconds += n
		}
		assert.InDelta(t, (10 * day).Seconds(), seconds, 7200)
	})
}

func TestWithoutDatesALocalClockFarAheadGivesNothingUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var set shift
		w := apart(t, &shift{}, sapbtp.Options{Seed: 108, Readings: sapbtp.Readings{NoDate: true}})
		w.local = func() time.Time { return time.Now().Add(set.by()) }
		from := time.Now()
		w.runFor(30 * time.Minute)
		time.Sleep(time.Hour)
		set.to(200 * day)
		w.runFor(time.Hour)
		set.to(0)
		w.runFor(8 * time.Hour)
		w.requireComplete(sapbtp.Between(from, from.Add(10*day)))
	})
}
