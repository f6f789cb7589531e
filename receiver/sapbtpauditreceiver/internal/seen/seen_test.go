// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package seen

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/sweep"
)

var everything = sweep.Set{{From: -1 << 40, To: 1 << 40}}

func open(t *testing.T, client storage.Client, limit int) *Set {
	t.Helper()
	s, err := Open(t.Context(), client, "sub/", limit)
	require.NoError(t, err)
	return s
}

func pin(t *testing.T, s *Set, from, to int64) *View {
	t.Helper()
	v, err := s.Pin(t.Context(), sweep.Span{From: from, To: to})
	require.NoError(t, err)
	return v
}

// remember stores events the way a checkpoint does.
func remember(t *testing.T, client storage.Client, v *View, unread sweep.Set, events ...Event) *Staged {
	t.Helper()
	st, err := v.Stage(events, unread)
	require.NoError(t, err)
	require.NoError(t, client.Batch(t.Context(), append(st.Writes, st.Deletes...)...))
	st.Commit()
	return st
}

func events(from, n, second int64) []Event {
	out := make([]Event, n)
	for i := range out {
		out[i] = Event{Key: keyFrom(7, uint64(from)+uint64(i)), Second: second}
	}
	return out
}

func TestSeenEventsSurviveARestart(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	v := pin(t, s, 1000, 2000)
	// Several chunks in one bucket and a second bucket.
	remember(t, client, v, everything, events(0, 2500, 1100)...)
	remember(t, client, v, everything, events(2500, 500, 1100)...)
	remember(t, client, v, everything, events(9000, 10, 1900)...)
	v.Unpin()

	again := open(t, client, DefaultLimit)
	view := pin(t, again, 1000, 2000)
	defer view.Unpin()
	for _, e := range append(events(0, 3000, 0), events(9000, 10, 0)...) {
		require.True(t, view.Has(e.Key))
	}
	require.False(t, view.Has(keyFrom(7, 3000)))
	require.Equal(t, 3010, again.Len())
}

func TestOnlyBucketsOfOpenWindowsAreInMemory(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	a, b := pin(t, s, 0, 600), pin(t, s, 500, 1200)
	remember(t, client, a, everything, events(0, 10, 100)...)
	remember(t, client, a, everything, events(10, 10, 590)...)
	remember(t, client, b, everything, events(20, 10, 1100)...)
	require.Len(t, s.loaded, 3)
	require.True(t, b.Has(keyFrom(7, 15)), "a neighbour sees what the other window delivered in the overlap")
	a.Unpin()
	require.Len(t, s.loaded, 2)
	b.Unpin()
	require.Empty(t, s.loaded)
}

func TestAnEventOutsideItsQueryIsFoundWhenTheRangeIsReadAgain(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	v := pin(t, s, 10000, 10060)
	remember(t, client, v, everything, Event{keyFrom(1, 1), 5}, Event{keyFrom(1, 2), 99999999})
	v.Unpin()
	wider := pin(t, s, 9000, 11000)
	defer wider.Unpin()
	require.True(t, wider.Has(keyFrom(1, 1)))
	require.True(t, wider.Has(keyFrom(1, 2)))
}

func TestAnEventThatIsInNoQuerysTimeIsKnownToEveryQuery(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	for i, second := range []int64{5, 9997, 10062, 99999999, -1 << 62} {
		v := pin(t, s, 10000, 10060)
		remember(t, client, v, everything, Event{keyFrom(4, uint64(i)), second})
		v.Unpin()
		for _, s := range []*Set{s, open(t, client, DefaultLimit)} {
			far := pin(t, s, 2_000_000, 2_000_060)
			require.True(t, far.Has(keyFrom(4, uint64(i))), "second %d", second)
			require.False(t, far.Has(keyFrom(5, uint64(i))))
			// What no sweep reads any more is forgotten, and they are not.
			remember(t, client, far, sweep.Set{{From: 3_000_000, To: 1 << 40}})
			require.True(t, far.Has(keyFrom(4, uint64(i))), "second %d", second)
			far.Unpin()
		}
	}
}

func TestOfEventsThatAreInNoQuerysTimeTheLastThousandsAreKept(t *testing.T) {
	const page, most = 500, 2 * strayChunks * chunkKeys
	client := durable.NewMemory()
	s := open(t, client, 100) // which says nothing about them
	for n := int64(0); n < 5*most; n += page {
		v := pin(t, s, 10000, 10060)
		remember(t, client, v, nil, events(n, page, 99999999)...)
		v.Unpin()
		if n%(7*page) == 0 {
			s = open(t, client, 100)
		}
		require.LessOrEqual(t, s.Len(), most)
		v = pin(t, s, 0, 60)
		require.True(t, v.Has(keyFrom(7, uint64(n))))
		for _, age := range []int64{page, most/2 - 4*page} {
			if n >= age {
				require.True(t, v.Has(keyFrom(7, uint64(n-age))), "%d, %d before", n, age)
			}
		}
		if n >= most {
			require.False(t, v.Has(keyFrom(7, uint64(n-most))))
		}
		v.Unpin()
	}
	require.Empty(t, s.loaded)
}

func TestEventsAtTheEdgeAreKnownToTheNeighbour(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	for _, edge := range []int64{299, 300, 301} { // around a bucket's border
		older := pin(t, s, 0, 300)
		remember(t, client, older, everything, Event{keyFrom(2, uint64(edge)), edge})
		older.Unpin()
		newer := pin(t, s, 300, 600)
		require.True(t, newer.Has(keyFrom(2, uint64(edge))), "second %d", edge)
		newer.Unpin()
	}
}

func TestOnlyWhatLiesWithinForCertainContradictsAnEmptyAnswer(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	v := pin(t, s, 0, 3000)
	defer v.Unpin()
	require.False(t, v.Holds(sweep.Span{From: 0, To: 3000}))
	remember(t, client, v, everything, events(0, 1, 700)...)
	require.True(t, v.Holds(sweep.Span{From: 500, To: 1000}))
	require.False(t, v.Holds(sweep.Span{From: 650, To: 1000}), "the bucket is only partly inside")
	require.False(t, v.Holds(sweep.Span{From: 1000, To: 3000}))
}

func TestWhatNoSweepWillReadIsForgotten(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	v := pin(t, s, 0, 3000)
	remember(t, client, v, everything, events(0, 2000, 100)...)
	remember(t, client, v, everything, events(5000, 5, 2900)...)
	// The older part is done; the window's own events of that part are not stored at all.
	st := remember(t, client, v, sweep.Set{{From: 2500, To: 1 << 40}}, events(8000, 5, 1000)...)
	require.NotEmpty(t, st.Deletes)
	v.Unpin()
	require.Equal(t, 5, open(t, client, DefaultLimit).Len())
	for _, chunk := range []string{"sub/seen/0/0", "sub/seen/0/1", "sub/seen/3/0"} {
		raw, err := client.Get(t.Context(), chunk)
		require.NoError(t, err)
		require.Nil(t, raw, chunk)
	}
}

func TestOverTheLimitTheOldestBucketGoes(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, 100)
	v := pin(t, s, 0, 3000)
	defer v.Unpin()
	remember(t, client, v, everything, events(0, 60, 100)...)
	remember(t, client, v, everything, events(100, 60, 1000)...)
	require.Equal(t, 60, s.Stats().Evicted)
	require.Equal(t, 60, s.Len())
	require.False(t, v.Has(keyFrom(7, 0)))
	require.True(t, v.Has(keyFrom(7, 100)))
}

func TestAPageRewritesAtMostOneChunkMoreThanItFills(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	v := pin(t, s, 0, 300)
	defer v.Unpin()
	for page := range int64(40) {
		st := remember(t, client, v, everything, events(page*500, 500, 10)...)
		size := 0
		for _, op := range st.Writes {
			size += len(op.Value)
		}
		require.Less(t, size, 3*chunkKeys*len(Key{}), "page %d", page)
	}
	require.Equal(t, 20000, s.Len())
}

// What a sweep still needs must not be forgotten by a crash between the writes and the deletions, while the checkpoint that
// makes it needless is not stored yet.
func TestBucketsAreNamedUntilTheyAreGone(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	v := pin(t, s, 0, 3000)
	defer v.Unpin()
	remember(t, client, v, everything, events(0, 10, 100)...)
	st, err := v.Stage(events(50, 10, 2000), sweep.Set{{From: 1500, To: 1 << 40}})
	require.NoError(t, err)
	require.NoError(t, client.Batch(t.Context(), st.Writes...))
	again := pin(t, open(t, client, DefaultLimit), 0, 3000)
	defer again.Unpin()
	require.True(t, again.Has(keyFrom(7, 0)))
	require.True(t, again.Has(keyFrom(7, 55)))
}

// A crash may cut the writes of a checkpoint off anywhere. Whatever is left must open, and must never claim an event that
// was not delivered.
func TestAnyPrefixOfTheWritesIsSafe(t *testing.T) {
	build := func(upTo int) (storage.Client, int) {
		client := durable.NewMemory()
		s := open(t, client, DefaultLimit)
		v := pin(t, s, 0, 3000)
		defer v.Unpin()
		remember(t, client, v, everything, events(0, 1500, 100)...)
		st, err := v.Stage(append(events(1500, 1500, 100), events(3000, 20, 2000)...), sweep.Set{{From: 0, To: 1 << 40}})
		require.NoError(t, err)
		ops := slices.Concat(st.Writes, st.Deletes)
		for i := range min(upTo, len(ops)) {
			require.NoError(t, client.Batch(t.Context(), ops[i]))
		}
		return client, len(ops)
	}
	_, total := build(0)
	require.Greater(t, total, 3)
	for k := 0; k <= total; k++ {
		client, _ := build(k)
		s := open(t, client, DefaultLimit)
		v := pin(t, s, 0, 3000)
		for i := range uint64(1500) {
			require.True(t, v.Has(keyFrom(7, i)), "after %d writes event %d was forgotten", k, i)
		}
		require.False(t, v.Has(keyFrom(7, 3020)))
		// And the set goes on working.
		remember(t, client, v, everything, events(3000, 30, 2000)...)
		require.True(t, v.Has(keyFrom(7, 3020)))
		v.Unpin()
	}
}

func TestDamageIsCountedAndNeverHidesAStorageError(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	v := pin(t, s, 0, 300)
	remember(t, client, v, everything, events(0, 1500, 100)...)
	v.Unpin()

	require.NoError(t, client.Set(t.Context(), "sub/seen/0/0", []byte(`{"v":1,"broken`)))
	s = open(t, client, DefaultLimit)
	v = pin(t, s, 0, 300)
	require.False(t, v.Has(keyFrom(7, 0)), "its chunk is damaged")
	require.True(t, v.Has(keyFrom(7, 1400)), "the other chunk is not")
	require.Equal(t, 1, s.Stats().Corrupt)
	v.Unpin()

	require.NoError(t, client.Set(t.Context(), "sub/seen/index", []byte("x")))
	s = open(t, client, DefaultLimit)
	require.Equal(t, 1, s.Stats().Corrupt)
	require.Zero(t, s.Len())

	_, err := Open(t.Context(), failing{client}, "sub/", DefaultLimit)
	require.ErrorIs(t, err, errDisk)
	raw, err := durable.Seal(formatVersion+1, map[int64]entry{})
	require.NoError(t, err)
	require.NoError(t, client.Set(t.Context(), "sub/seen/index", raw))
	_, err = Open(t.Context(), client, "sub/", DefaultLimit)
	require.ErrorIs(t, err, durable.ErrNewerVersion)
}

func TestAStorageErrorWhilePinningIsReturned(t *testing.T) {
	client := durable.NewMemory()
	s := open(t, client, DefaultLimit)
	v := pin(t, s, 0, 300)
	remember(t, client, v, everything, events(0, 10, 100)...)
	v.Unpin()
	s.client = failing{client}
	_, err := s.Pin(t.Context(), sweep.Span{From: 0, To: 300})
	require.ErrorIs(t, err, errDisk)
	require.Empty(t, s.views)
}

var errDisk = errors.New("disk gone")

type failing struct{ storage.Client }

func (failing) Get(context.Context, string) ([]byte, error) { return nil, errDisk }

func BenchmarkPage(b *testing.B) {
	client := durable.NewMemory()
	s, err := Open(b.Context(), client, "sub/", DefaultLimit)
	require.NoError(b, err)
	v, err := s.Pin(b.Context(), sweep.Span{From: 0, To: 3600})
	require.NoError(b, err)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		page := events(int64(i)*500, 500, int64(i)%3600)
		for _, e := range page {
			if v.Has(e.Key) {
				b.Fatal("never seen before")
			}
		}
		st, err := v.Stage(page, everything)
		require.NoError(b, err)
		require.NoError(b, client.Batch(b.Context(), st.Writes...))
		st.Commit()
	}
}

// keyFrom builds a key from two words.
func keyFrom(hi, lo uint64) (k Key) {
	binary.BigEndian.PutUint64(k[:8], hi)
	binary.BigEndian.PutUint64(k[8:], lo)
	return k
}
