// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var delays = []time.Duration{0, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, time.Hour, 6 * time.Hour}

func TestSetAddJoinsWhatTouches(t *testing.T) {
	for _, tc := range []struct {
		name string
		add  []Span
		want Set
	}{
		{"empty span changes nothing", []Span{{5, 5}, {7, 3}}, nil},
		{"apart", []Span{{10, 20}, {30, 40}}, Set{{10, 20}, {30, 40}}},
		{"sorted whatever the order", []Span{{30, 40}, {10, 20}}, Set{{10, 20}, {30, 40}}},
		{"touching", []Span{{10, 20}, {20, 30}}, Set{{10, 30}}},
		{"touching from above", []Span{{20, 30}, {10, 20}}, Set{{10, 30}}},
		{"bridging", []Span{{10, 20}, {30, 40}, {20, 30}}, Set{{10, 40}}},
		{"swallowing several", []Span{{10, 12}, {14, 16}, {18, 20}, {11, 19}}, Set{{10, 20}}},
		{"inside", []Span{{10, 40}, {20, 30}}, Set{{10, 40}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var s Set
			for _, span := range tc.add {
				s = s.Add(span)
			}
			require.Equal(t, tc.want, s)
		})
	}
}

// Sets are checked against the plainest model there is: a bool for each second.
func TestSetMatchesAModelOfSingleSeconds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const size = 40
	randomSet := func() (s Set, model [size]bool) {
		for range rng.IntN(6) {
			from := rng.Int64N(size)
			span := Span{from, min(size, from+rng.Int64N(8))}
			s = s.Add(span)
			for i := span.From; i < span.To; i++ {
				model[i] = true
			}
		}
		return s, model
	}
	toModel := func(s Set) (model [size]bool) {
		for i, span := range s {
			require.False(t, span.Empty())
			require.True(t, i == 0 || s[i-1].To < span.From, "sorted and apart: %v", s)
			for j := span.From; j < span.To; j++ {
				model[j] = true
			}
		}
		return model
	}
	for range 3000 {
		a, ma := randomSet()
		b, mb := randomSet()
		require.Equal(t, ma, toModel(a))
		var union, minus [size]bool
		for i := range size {
			union[i] = ma[i] || mb[i]
			minus[i] = ma[i] && !mb[i]
		}
		require.Equal(t, union, toModel(a.Union(b)))
		require.Equal(t, minus, toModel(a.Minus(b)))
		probe := Span{rng.Int64N(size), size}
		require.Equal(t, slices.Contains(ma[probe.From:], true), a.Overlaps(probe))
	}
}

func TestHalvesStopAtOneSecond(t *testing.T) {
	newer, older, ok := Span{10, 13}.Halves()
	require.True(t, ok)
	require.Equal(t, Span{11, 13}, newer)
	require.Equal(t, Span{10, 11}, older)
	_, _, ok = Span{10, 11}.Halves()
	require.False(t, ok)
}

func TestAReadCountsForEverySweepWhoseDelayHasPassed(t *testing.T) {
	p := New(delays, 0)
	day := int64(24 * 3600)
	p.Record(Span{0, day}, day)
	for _, pass := range p.Passes {
		require.Equal(t, day-pass.Delay, pass.Watermark)
		require.Empty(t, pass.Done)
	}
}

func TestWatermarkFollowsTheContiguousPrefixOnly(t *testing.T) {
	p := New([]time.Duration{0}, 100)
	p.Record(Span{180, 200}, 1000)
	p.Record(Span{150, 180}, 1000)
	require.Equal(t, int64(100), p.Passes[0].Watermark)
	require.Equal(t, Set{{150, 200}}, p.Passes[0].Done)
	p.Record(Span{100, 150}, 1000)
	require.Equal(t, int64(200), p.Passes[0].Watermark)
	require.Empty(t, p.Passes[0].Done)
}

func TestWhatIsDue(t *testing.T) {
	hour := int64(3600)
	fresh := New(delays, 0)
	fresh.Record(Span{0, 10 * hour}, 10*hour)
	for _, tc := range []struct {
		name string
		plan Plan
		want Set
	}{
		{"nothing new", Plan{Bound: 10 * hour, Poll: 60, Tick: true, Rate: -1}, nil},
		{"a tick reads what is new", Plan{Bound: 10*hour + 20, Poll: 60, Tick: true, Rate: -1}, Set{{10 * hour, 10*hour + 20}}},
		{"without a tick a poll interval must have passed", Plan{Bound: 10*hour + 20, Poll: 60, Rate: -1}, nil},
		{
			"a sweep waits for a poll interval and a quarter of its delay",
			Plan{Bound: 10*hour + 75, Poll: 60, Tick: true, Rate: -1},
			Set{{10*hour - 300, 10*hour - 225}, {10*hour - 120, 10*hour - 45}, {10 * hour, 10*hour + 75}},
		},
		{
			"quiet: one query for all that is due",
			Plan{Bound: 10*hour + 75, Poll: 60, Tick: true, Rate: 0.01},
			Set{{10*hour - 300, 10*hour + 75}},
		},
		{
			"busy: apart",
			Plan{Bound: 10*hour + 75, Poll: 60, Tick: true, Rate: 10},
			Set{{10*hour - 300, 10*hour - 225}, {10*hour - 120, 10*hour - 45}, {10 * hour, 10*hour + 75}},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			require.Equal(t, tc.want, fresh.Due(tc.plan))
		})
	}
}

func TestAHoleIsDueHoweverSmall(t *testing.T) {
	p := New([]time.Duration{0}, 0)
	p.Record(Span{0, 500}, 1000)
	p.Record(Span{501, 1000}, 1000)
	require.Equal(t, Set{{500, 501}}, p.Due(Plan{Bound: 1001, Poll: 60, Rate: -1}))
}

// A day in one-minute polls: every second must be read by every sweep at least its delay later, and each range only a
// handful of times.
func TestADayOfPollsReadsEverySecondForEverySweep(t *testing.T) {
	p := New(delays, 0)
	const end = 24 * 3600
	lastRead := make([]int64, end) // latest bound at which each second was read
	reads := 0
	var readSeconds int64
	for bound := int64(60); bound <= end; bound += 60 {
		due := p.Due(Plan{Bound: bound, Poll: 60, Tick: true, Rate: 5})
		for span, ok := due.TakeNewest(900); ok; span, ok = due.TakeNewest(900) {
			reads++
			readSeconds += span.Len()
			for i := span.From; i < span.To; i++ {
				lastRead[i] = bound
			}
			p.Record(span, bound)
		}
	}
	deepest := int64(6 * 3600)
	for second := range int64(end) - 2*deepest {
		require.GreaterOrEqual(t, lastRead[second]-second, deepest, "second %d", second)
	}
	require.Less(t, float64(readSeconds)/end, float64(len(delays)), "each second is read at most once per sweep")
	require.Less(t, reads, 4600, "busy: 1440 polls, each sweep once per quarter of its delay")
	require.LessOrEqual(t, len(p.Passes[3].Done), 1)
}

func TestTakeNewestNeverCrossesAHole(t *testing.T) {
	s := Set{{0, 10}, {20, 50}}
	var got []Span
	for span, ok := s.TakeNewest(20); ok; span, ok = s.TakeNewest(20) {
		got = append(got, span)
	}
	require.Equal(t, []Span{{30, 50}, {20, 30}, {0, 10}}, got)
}

func TestChangedSweepsKeepWhatWasRead(t *testing.T) {
	p := New([]time.Duration{0, time.Minute, time.Hour}, 0)
	p.Record(Span{0, 10000}, 10000)
	got := p.WithDelays([]time.Duration{0, 10 * time.Minute, 2 * time.Hour})
	require.Equal(t, []Pass{
		{Delay: 0, Watermark: 10000},
		{Delay: 600, Watermark: 6400, Done: nil},
		{Delay: 7200, Watermark: 6400},
	}, got.Passes)
}

func TestRewindTakesBackWhatAFastClockCredited(t *testing.T) {
	p := New([]time.Duration{0, time.Minute}, 0)
	p.Record(Span{0, 500}, 5000)
	p.Record(Span{600, 5000}, 5000)
	require.True(t, p.Rewind(1000))
	require.Equal(t, []Pass{
		{Delay: 0, Watermark: 500, Done: Set{{600, 1000}}},
		{Delay: 60, Watermark: 500, Done: Set{{600, 940}}},
	}, p.Passes)
	require.False(t, p.Rewind(1000))
	require.True(t, p.Rewind(400))
	require.Equal(t, int64(400), p.Passes[0].Watermark)
}

func TestUnreadIsWhatIdsMustBeRememberedFor(t *testing.T) {
	p := New([]time.Duration{0, time.Minute}, 0)
	p.Record(Span{300, 1000}, 1000) // newest first: the older part is still open
	require.Equal(t, Set{{0, 300}, {940, forever}}, p.Unread())
	p.Record(Span{0, 300}, 1000)
	require.Equal(t, Set{{940, forever}}, p.Unread())
	require.Equal(t, int64(940), p.Oldest())
}

func TestAbandonedSpansAreDoneForAllSweeps(t *testing.T) {
	p := New(delays, 0)
	p.Abandon(Span{0, 100})
	for _, pass := range p.Passes {
		require.Equal(t, int64(100), pass.Watermark)
	}
}

func TestCloneIsIndependent(t *testing.T) {
	p := New([]time.Duration{0}, 0)
	p.Record(Span{50, 60}, 100)
	c := p.Clone()
	c.Record(Span{0, 50}, 100)
	require.Equal(t, int64(0), p.Passes[0].Watermark)
	require.Equal(t, Set{{50, 60}}, p.Passes[0].Done)
}

func TestLateEventsAreNamedAfterTheSweepThatBringsThem(t *testing.T) {
	p := New(delays, 0)
	require.Equal(t, int64(0), p.SweepAt(1000, 1001))
	require.Equal(t, int64(120), p.SweepAt(1000, 1000+130))
	require.Equal(t, int64(21600), p.SweepAt(1000, 1000+30000))
}

func TestTheLastReadingIsThatOfEachSecond(t *testing.T) {
	day := int64(24 * 3600)
	edge := day - 6*3600 // the last sweep reads on from here
	for _, tc := range []struct {
		name string
		read []Span // before, at the same bound
		span Span
		want Set
	}{
		{"of a backfill all of it", nil, Span{0, 1000}, Set{{0, 1000}}},
		{"of what later sweeps read again nothing", nil, Span{day - 1000, day}, nil},
		{"of what straddles the last sweep the older part", nil, Span{edge - 500, edge + 500}, Set{{edge - 500, edge}}},
		{"not of what was read to the end before", []Span{{500, 600}}, Span{0, 1000}, Set{{0, 500}, {600, 1000}}},
		{"not of what is read again although the last sweep has read a part", []Span{{0, edge}}, Span{edge, day}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := New(delays, 0)
			for _, span := range tc.read {
				p.Record(span, day)
			}
			require.Equal(t, tc.want, p.LastReading(tc.span, day))
		})
	}

	t.Run("whichever sweep is the last to come", func(t *testing.T) {
		p := New(delays, 0)
		p.Record(Span{0, day}, day)
		p.Passes[0].Watermark = 100 // as after a hole in one sweep only
		require.Equal(t, Set{{100, 300}}, p.LastReading(Span{50, 300}, day))
		require.Equal(t, Set{{edge - 60, edge + 60}}, p.LastReading(Span{edge - 60, edge + 120}, day+60))
	})
}

// The plainest model there is: a second is read for the last time if every sweep has read it after that, and one had not before.
func TestTheLastReadingMatchesAModelOfSingleSeconds(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	short := []time.Duration{0, 5 * time.Second, 20 * time.Second}
	for range 500 {
		p := New(short, 0)
		bound := int64(0)
		for range rng.IntN(8) {
			bound += rng.Int64N(30)
			from := rng.Int64N(bound + 1)
			p.Record(Span{from, from + rng.Int64N(bound-from+1)}, bound)
		}
		from := rng.Int64N(bound + 1)
		span := Span{from, from + rng.Int64N(bound-from+1)}
		after := p.Clone()
		after.Record(span, bound)
		var want Set
		for i := span.From; i < span.To; i++ {
			second := Span{i, i + 1}
			if p.Unread().Overlaps(second) && !after.Unread().Overlaps(second) {
				want = want.Add(second)
			}
		}
		require.Equal(t, want, p.LastReading(span, bound))
	}
}

// What is set aside of a sweep's span must not make its newest seconds due one by one.
func TestWhatIsNewWaitsForASweepsTimeAlsoBesideWhatIsReserved(t *testing.T) {
	p := New([]time.Duration{0, time.Hour}, 0)
	p.Record(Span{0, 36000}, 36000) // the second sweep has read up to 32400
	plan := Plan{Bound: 37000, Poll: 60, Tick: true, Rate: -1, Reserved: Set{{32400, 33380}, {36000, 37000}}}
	require.Nil(t, p.Due(plan))
	plan.Reserved = Set{{33000, 33100}, {36000, 37000}}
	require.Equal(t, Set{{32400, 33000}}, p.Due(plan), "what is left open before it is read")
}

func TestTakeOldestNeverCrossesAHole(t *testing.T) {
	s := Set{{0, 30}, {40, 50}}
	var got []Span
	for span, ok := s.TakeOldest(20); ok; span, ok = s.TakeOldest(20) {
		got = append(got, span)
	}
	require.Equal(t, []Span{{0, 20}, {20, 30}, {40, 50}}, got)
}

func TestSpansAreNotJoinedAcrossWhatIsForgottenOrSpokenFor(t *testing.T) {
	p := New([]time.Duration{0, time.Minute}, 0)
	p.Record(Span{100, 5000}, 9000) // its ids are forgotten
	plan := Plan{Bound: 9000, Poll: 60, Tick: true, Rate: 0}
	require.Equal(t, Set{{0, 100}, {5000, 9000}}, p.Due(plan))
	q := New([]time.Duration{0, time.Minute, time.Hour}, 0)
	q.Record(Span{100, 8900}, 9000)
	plan.Bound, plan.Reserved = 14400, Set{{7000, 7100}}
	require.Equal(t, Set{{0, 100}, {5400, 7000}, {7100, 14400}}, q.Due(plan))
}

func TestAnEarlierBeginningKeepsWhatWasRead(t *testing.T) {
	p := New([]time.Duration{0, time.Minute}, 1000)
	p.Record(Span{1000, 1200}, 1200)
	p.Record(Span{1300, 1400}, 1400)
	p.BeginAt(1000, 400)
	require.Equal(t, Set{{400, 1000}, {1200, 1300}, {1400, 1500}}, p.Behind(1500))
	require.Equal(t, int64(1400), p.Front())
	p.Record(Span{400, 1000}, 1500)
	require.Equal(t, Set{{1200, 1300}, {1400, 1500}}, p.Behind(1500))
	require.Equal(t, int64(1140), p.Passes[1].Watermark, "of the second sweep as well")
	before := p.Clone()
	p.BeginAt(400, 500)
	require.Equal(t, before, p, "never later")
}

func TestWhatIsTakenOverIsReadByEverySweepAndNothingElseAgain(t *testing.T) {
	begun := func() Progress {
		p := New([]time.Duration{0, time.Minute}, 1000)
		p.Record(Span{1000, 1200}, 1200)
		p.Record(Span{1300, 1400}, 1400)
		return p
	}
	for name, tc := range map[string]struct {
		set, want Set // what the first sweep has not read up to 1500
	}{
		"nothing":                   {nil, Set{{1200, 1300}, {1400, 1500}}},
		"up to the beginning":       {Set{{400, 1000}}, Set{{400, 1000}, {1200, 1300}, {1400, 1500}}},
		"with holes":                {Set{{400, 500}, {600, 700}}, Set{{400, 500}, {600, 700}, {1200, 1300}, {1400, 1500}}},
		"what was read":             {Set{{1100, 1150}}, Set{{1100, 1150}, {1200, 1300}, {1400, 1500}}},
		"beyond what was read":      {Set{{1350, 2000}}, Set{{1200, 1300}, {1350, 1500}}},
		"what is not read anyhow":   {Set{{1250, 1280}}, Set{{1200, 1300}, {1400, 1500}}},
		"before, and what was read": {Set{{400, 500}, {1100, 1150}}, Set{{400, 500}, {1100, 1150}, {1200, 1300}, {1400, 1500}}},
	} {
		t.Run(name, func(t *testing.T) {
			p := begun()
			p.Reopen(tc.set)
			require.Equal(t, tc.want, p.Behind(1500))
			for _, span := range tc.set {
				for i := range p.Passes {
					require.Equal(t, Set{span}, Set{span}.Minus(Set{span}.Minus(p.Passes[i].pending(forever))), "sweep %d", i)
				}
			}
			p.Record(Span{0, 2000}, 2000)
			require.Empty(t, p.Behind(2000), "and can be read like any other time")
			require.Empty(t, p.Passes[0].Done)
		})
	}
}
