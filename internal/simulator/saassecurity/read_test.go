// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestReadTakesEventsForGood(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, sim *Simulator, c *client) {
		sim.Enqueue(250)
		var seen []int64
		for _, want := range []int{100, 100, 50} {
			reply := c.bulk(t)
			require.NoError(t, reply.err)
			require.Equal(t, http.StatusOK, reply.status)
			require.Equal(t, []string{"application/json;charset=UTF-8"}, reply.header["Content-Type"])
			var document struct{ Events []json.RawMessage }
			require.NoError(t, json.Unmarshal(reply.body, &document))
			require.Len(t, document.Events, want)
			for _, e := range document.Events {
				found := Find(e)
				require.Len(t, found, 1, "each event has its marker exactly once")
				require.Equal(t, sim.Event(found[0]), []byte(e))
				seen = append(seen, found...)
			}
		}
		require.Equal(t, http.StatusNoContent, c.bulk(t).status)
		require.Equal(t, numbers(1, 250), seen)

		l := sim.Ledger()
		require.Equal(t, 250, l.Enqueued)
		require.Equal(t, 250, l.Sent)
		require.Zero(t, l.Queued+l.Expired+l.Unsent)
		require.Equal(t, 3, l.Dequeues)
		require.Equal(t, seen, l.SentEvents())
		require.Equal(t, map[Outcome]int{OutcomeServed: 3, OutcomeEmpty: 1}, l.Outcomes())
	})
}

func TestSingleReadGivesOneBareEvent(t *testing.T) {
	bubble(t, Options{Shape: ShapeList}, func(t *testing.T, sim *Simulator, c *client) {
		sim.Enqueue(2)
		for _, number := range numbers(1, 2) {
			require.Equal(t, sim.Event(number), c.read(t.Context(), t, pathSingle).body)
		}
		require.Equal(t, http.StatusNoContent, c.read(t.Context(), t, pathSingle).status)
	})
}

func TestShapes(t *testing.T) {
	tests := map[string]struct {
		opts  Options
		full  string // reply to the first read of the queued events a, b
		empty string
		code  int
	}{
		"object and 204":            {Options{}, `{"events":["a","b"]}`, ``, 204},
		"list and empty list":       {Options{Shape: ShapeList, Empty: EmptyList}, `["a","b"]`, `[]`, 200},
		"single and empty events":   {Options{Shape: ShapeSingle, Empty: EmptyEvents}, `"a"`, `{"events":[]}`, 200},
		"object and empty body 200": {Options{Empty: EmptyBody}, `{"events":["a","b"]}`, ``, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, tt.opts, func(t *testing.T, sim *Simulator, c *client) {
				require.Equal(t, tt.code, c.bulk(t).status)
				require.Equal(t, tt.empty, string(c.bulk(t).body))
				sim.EnqueueRaw(`"a"`, `"b"`)
				require.Equal(t, tt.full, string(c.bulk(t).body))
			})
		})
	}
}

func TestMixedShapesAllOccur(t *testing.T) {
	bubble(t, Options{Shape: ShapeMixed, Empty: EmptyMixed}, func(t *testing.T, sim *Simulator, c *client) {
		seen := map[string]bool{}
		for range 60 {
			reply := c.bulk(t)
			seen[http.StatusText(reply.status)+string(reply.body)] = true
			sim.EnqueueRaw(`1`)
			seen[string(c.bulk(t).body)] = true
		}
		for _, want := range []string{`No Content`, `OK`, `OK[]`, `OK{"events":[]}`, `1`, `[1]`, `{"events":[1]}`} {
			require.Contains(t, seen, want)
		}
	})
}

func TestBatchSize(t *testing.T) {
	tests := map[string]struct {
		opts Options
		path string
		want int
	}{
		"never above 100":           {Options{}, pathBulk + "?size=1000", 100},
		"small size is ignored":     {Options{}, pathBulk + "?size=30", 100},
		"small size is honoured":    {Options{HonorSize: true}, pathBulk + "?size=30", 30},
		"honoured, but not above":   {Options{HonorSize: true}, pathBulk + "?size=101", 100},
		"nonsense size is no limit": {Options{HonorSize: true}, pathBulk + "?size=many", 100},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, tt.opts, func(t *testing.T, sim *Simulator, c *client) {
				sim.Enqueue(300)
				require.Len(t, Find(c.read(t.Context(), t, tt.path).body), tt.want)
			})
		})
	}
}

func TestShortRepliesLeaveTheRestQueued(t *testing.T) {
	bubble(t, Options{ShortReplies: 1}, func(t *testing.T, sim *Simulator, c *client) {
		sim.Enqueue(100)
		first := len(Find(c.bulk(t).body))
		require.Less(t, first, 100)
		require.Equal(t, 100-first, sim.Ledger().Queued)
	})
}

func TestLongPoll(t *testing.T) {
	const wait = 20 * time.Second
	bubble(t, Options{LongPoll: wait}, func(t *testing.T, sim *Simulator, c *client) {
		start := time.Now()
		require.Equal(t, http.StatusNoContent, c.bulk(t).status)
		require.Equal(t, wait, since(start))

		start = time.Now()
		time.AfterFunc(7*time.Second, func() { sim.Enqueue(1) })
		require.Equal(t, http.StatusOK, c.bulk(t).status)
		require.Equal(t, 7*time.Second, since(start))
	})
}

func TestClientThatLeavesTakesNothing(t *testing.T) {
	bubble(t, Options{LongPoll: time.Minute}, func(t *testing.T, sim *Simulator, c *client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, c.read(ctx, t, pathBulk).err, context.DeadlineExceeded)
		synctest.Wait()
		sim.Enqueue(1)
		synctest.Wait()
		l := sim.Ledger()
		require.Equal(t, OutcomeLeft, l.Reads[0].Outcome)
		require.Equal(t, 1, l.Queued)
	})
}

func TestClientThatLeavesADeafServerLosesEvents(t *testing.T) {
	bubble(t, Options{LongPoll: time.Minute, Deaf: true}, func(t *testing.T, sim *Simulator, c *client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, c.read(ctx, t, pathBulk).err, context.DeadlineExceeded)
		synctest.Wait()
		require.Equal(t, OutcomeOpen, sim.Ledger().Reads[0].Outcome)
		sim.Enqueue(1)
		synctest.Wait()
		l := sim.Ledger()
		require.Equal(t, OutcomeBroken, l.Reads[0].Outcome)
		require.Equal(t, 1, l.Unsent)
	})
}

func TestEventsExpire(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, sim *Simulator, c *client) {
		sim.Enqueue(10)
		time.Sleep(30 * time.Minute)
		sim.Enqueue(5)
		time.Sleep(30 * time.Minute)
		l := sim.Ledger()
		require.Equal(t, 10, l.Expired)
		require.Equal(t, 5, l.Queued)
		require.Equal(t, numbers(11, 5), Find(c.bulk(t).body))
	})
}

func TestParallelReadersGetDisjointBatches(t *testing.T) {
	bubble(t, Options{ShortReplies: 0.5, Latency: time.Millisecond}, func(t *testing.T, sim *Simulator, c *client) {
		const total = 3000
		sim.Enqueue(total)
		var mu sync.Mutex
		var seen []int64
		var readers sync.WaitGroup
		for range 8 {
			readers.Go(func() {
				for {
					reply := c.read(t.Context(), t, pathBulk)
					if reply.status != http.StatusOK {
						return
					}
					mu.Lock()
					seen = append(seen, Find(reply.body)...)
					mu.Unlock()
				}
			})
		}
		readers.Wait()
		slices.Sort(seen)
		require.Equal(t, numbers(1, total), seen)
	})
}

func TestOnlyGetReads(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, sim *Simulator, c *client) {
		sim.Enqueue(1)
		for _, method := range []string{http.MethodHead, http.MethodPost, http.MethodOptions} {
			req, err := http.NewRequestWithContext(t.Context(), method, URL+pathBulk, http.NoBody)
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+c.bearer)
			require.Equal(t, http.StatusMethodNotAllowed, c.do(req).status)
		}
		require.Equal(t, 1, sim.Ledger().Queued)
	})
}

func TestRunKeepsTheRate(t *testing.T) {
	bubble(t, Options{}, func(t *testing.T, sim *Simulator, _ *client) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		sim.Run(ctx, 7.5)
		require.InDelta(t, 450, sim.Ledger().Enqueued, 1)
	})
}

func TestRealListener(t *testing.T) {
	sim := New(Options{})
	t.Cleanup(sim.Close)
	url, err := sim.Start(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	sim.Enqueue(3)
	c := newClient(t, sim)
	c.http.Transport = &http.Transport{DisableKeepAlives: true}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+pathBulk, http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+c.bearer)
	require.Equal(t, numbers(1, 3), Find(c.do(req).body))

	req, err = http.NewRequestWithContext(t.Context(), http.MethodGet, url+AdminPath+"ledger", http.NoBody)
	require.NoError(t, err)
	require.Contains(t, string(c.do(req).body), `"sent":3`)
	require.Len(t, sim.Ledger().Reads, 1, "looking at the ledger is no read")
}
