// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRefusalsTakeNothing(t *testing.T) {
	tests := map[string]struct {
		fault  Fault
		status int // 0: the connection broke
		check  func(*testing.T, got)
	}{
		"401 with the documented body": {Fault{Status: 401}, 401, func(t *testing.T, g got) {
			t.Helper()
			require.JSONEq(t, `{"error":"unauthorized","resolution":"Please submit valid credentials.","error_description":"Invalid credentials"}`, string(g.body))
		}},
		"403":                     {Fault{Status: 403}, 403, nil},
		"408":                     {Fault{Status: 408}, 408, nil},
		"429 without Retry-After": {Fault{Status: 429}, 429, func(t *testing.T, g got) { t.Helper(); require.NotContains(t, g.header, "Retry-After") }},
		"429 with Retry-After":    {Fault{Status: 429, RetryAfter: "17"}, 429, func(t *testing.T, g got) { t.Helper(); require.Equal(t, "17", g.header.Get("Retry-After")) }},
		"503 with HTML":           {Fault{Status: 503}, 503, func(t *testing.T, g got) { t.Helper(); require.Contains(t, string(g.body), "<html>") }},
		"200 with HTML":           {Fault{Document: HTML}, 200, func(t *testing.T, g got) { t.Helper(); require.Contains(t, string(g.body), "<html>") }},
		"redirect": {Fault{Redirect: "https://elsewhere.example/"}, 302, func(t *testing.T, g got) {
			t.Helper()
			require.Equal(t, "https://elsewhere.example/", g.header.Get("Location"))
		}},
		"reset": {Fault{Reset: ResetBefore}, 0, func(t *testing.T, g got) { t.Helper(); require.ErrorIs(t, g.err, io.EOF) }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{Rules: []Rule{{Times: 1, Fault: tt.fault}}}, func(t *testing.T, sim *Simulator, c *client) {
				sim.Enqueue(5)
				reply := c.bulk(t)
				require.Equal(t, tt.status, reply.status)
				if tt.check != nil {
					tt.check(t, reply)
				}
				l := sim.Ledger()
				require.Zero(t, l.Dequeues)
				require.Equal(t, 5, l.Queued)
				require.Equal(t, OutcomeRefused, l.Reads[0].Outcome)
				require.Equal(t, tt.fault.String(), l.Reads[0].Fault)
				require.Equal(t, numbers(1, 5), Find(c.bulk(t).body), "the rule is used up")
			})
		})
	}
}

func TestBrokenRepliesTakeEvents(t *testing.T) {
	tests := map[string]struct {
		fault Fault
		check func(t *testing.T, genuine string, g got)
	}{
		"reset before the first byte": {Fault{Reset: ResetAfter}, func(t *testing.T, _ string, g got) {
			t.Helper()
			require.ErrorIs(t, g.err, io.EOF)
			require.Zero(t, g.status)
		}},
		"declared length": {Fault{Truncate: 2000}, func(t *testing.T, genuine string, g got) {
			t.Helper()
			require.ErrorIs(t, g.err, io.ErrUnexpectedEOF)
			require.Equal(t, genuine[:2000], string(g.body))
		}},
		"chunked": {Fault{Truncate: 2000, Chunked: true}, func(t *testing.T, genuine string, g got) {
			t.Helper()
			require.ErrorIs(t, g.err, io.ErrUnexpectedEOF)
			require.Empty(t, g.header.Get("Content-Length"))
			require.Equal(t, genuine[:2000], string(g.body))
		}},
		"headers only": {Fault{Truncate: HeadersOnly}, func(t *testing.T, _ string, g got) {
			t.Helper()
			require.ErrorIs(t, g.err, io.ErrUnexpectedEOF)
			require.Equal(t, http.StatusOK, g.status)
			require.Empty(t, g.body)
		}},
		"somewhere": {Fault{Truncate: AtRandom}, func(t *testing.T, genuine string, g got) {
			t.Helper()
			require.ErrorIs(t, g.err, io.ErrUnexpectedEOF)
			require.True(t, strings.HasPrefix(genuine, string(g.body)))
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{Rules: []Rule{{Times: 1, Fault: tt.fault}}}, func(t *testing.T, sim *Simulator, c *client) {
				sim.Enqueue(20)
				reply := c.bulk(t)
				tt.check(t, string(sim.compose(ShapeObject, numbers(1, 20)).body), reply)
				read := sim.Ledger().Reads[0]
				require.Equal(t, OutcomeBroken, read.Outcome)
				require.Equal(t, numbers(1, 20), read.Dequeued)
				require.Len(t, read.Sent, wholeEvents(reply.body))
				require.Equal(t, http.StatusNoContent, c.bulk(t).status)
			})
		})
	}
}

func TestEventCutAtItsEndIsWhole(t *testing.T) {
	const first = `{"events":["a"`
	for cut, whole := range map[int]int{len(first) - 1: 0, len(first): 1, len(first) + 1: 1} {
		bubble(t, Options{Rules: []Rule{{Fault: Fault{Truncate: cut}}}}, func(t *testing.T, sim *Simulator, c *client) {
			sim.EnqueueRaw(`"a"`, `"b"`)
			require.Len(t, c.bulk(t).body, cut)
			require.Len(t, sim.Ledger().Reads[0].Sent, whole)
		})
	}
}

// wholeEvents counts the events that a decoder can save from a cut document.
func wholeEvents(body []byte) (n int) {
	d := json.NewDecoder(bytes.NewReader(body))
	for range 3 { // { "events" [
		if _, err := d.Token(); err != nil {
			return 0
		}
	}
	for d.More() {
		var e json.RawMessage
		if d.Decode(&e) != nil {
			break
		}
		n++
	}
	return n
}

func TestSpoiledDocuments(t *testing.T) {
	tests := map[string]struct {
		fault    Fault
		sent     int
		contains string
	}{
		"half":    {Fault{Document: Half}, 1, `{"events":[`},
		"garbage": {Fault{Document: Garbage}, 0, "\x00\xff"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{Rules: []Rule{{Fault: tt.fault}}}, func(t *testing.T, sim *Simulator, c *client) {
				sim.EnqueueRaw(`{"a":"`+Marker(1)+`"}`, `{"b":"`+Marker(2)+`","long":"`+strings.Repeat("x", 20)+`"}`)
				reply := c.bulk(t)
				require.NoError(t, reply.err, "as HTTP the reply is complete")
				require.False(t, json.Valid(reply.body))
				require.Contains(t, string(reply.body), tt.contains)
				l := sim.Ledger()
				require.Equal(t, OutcomeSpoiled, l.Reads[0].Outcome)
				require.Len(t, l.Reads[0].Sent, tt.sent)
				require.Equal(t, 2-tt.sent, l.Unsent)
			})
		})
	}
}

func TestSlowReplies(t *testing.T) {
	for name, fault := range map[string]Fault{"before the first byte": {Delay: 25 * time.Second}, "within the body": {Stall: 25 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{Rules: []Rule{{Fault: fault}}}, func(t *testing.T, sim *Simulator, c *client) {
				sim.Enqueue(3)
				start := time.Now()
				require.Equal(t, numbers(1, 3), Find(c.bulk(t).body))
				require.Equal(t, 25*time.Second, since(start))

				sim.Enqueue(3)
				c.http.Timeout = 10 * time.Second
				require.Error(t, c.bulk(t).err)
				synctest.Wait()
				last := sim.Ledger().Reads[1]
				require.Equal(t, OutcomeBroken, last.Outcome, "an impatient client loses the batch")
				require.Len(t, last.Dequeued, 3)
				require.Empty(t, last.Sent)
			})
		})
	}
}

func TestOversizedReplyStaysValid(t *testing.T) {
	for name, fault := range map[string]Fault{"plain": {Oversize: 1 << 20}, "compressed": {Oversize: 1 << 20, Gzip: true}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{Rules: []Rule{{Fault: fault}}}, func(t *testing.T, sim *Simulator, c *client) {
				sim.Enqueue(3)
				reply := c.bulk(t)
				require.Len(t, reply.body, 1<<20)
				require.True(t, json.Valid(reply.body))
				require.Equal(t, numbers(1, 3), Find(reply.body))
			})
		})
	}
}

func TestGzipOnlyForThoseWhoAccept(t *testing.T) {
	bubble(t, Options{Rules: []Rule{{Fault: Fault{Gzip: true}}}}, func(t *testing.T, sim *Simulator, c *client) {
		sim.Enqueue(1)
		ask := func(accept string) got {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, URL+pathBulk, http.NoBody)
			require.NoError(t, err)
			req.Header.Set("Authorization", "Bearer "+c.bearer)
			req.Header.Set("Accept-Encoding", accept)
			return c.do(req)
		}
		require.Equal(t, "gzip", ask("deflate, gzip").header.Get("Content-Encoding"))
		sim.Enqueue(1)
		require.Equal(t, numbers(2, 1), Find(ask("identity").body))
	})
}

func TestRequeueServesABrokenBatchAgain(t *testing.T) {
	bubble(t, Options{Requeue: true, Rules: []Rule{{Times: 1, Fault: Fault{Truncate: 2000}}}}, func(t *testing.T, sim *Simulator, c *client) {
		sim.Enqueue(150)
		require.ErrorIs(t, c.bulk(t).err, io.ErrUnexpectedEOF)
		require.Equal(t, numbers(1, 100), Find(c.bulk(t).body))
		require.Equal(t, numbers(101, 50), Find(c.bulk(t).body))
		require.Equal(t, 150, sim.Ledger().Sent)
	})
}

// Whatever goes wrong, each event is in exactly one place, and a client that
// keeps what it got holds at least what counts as sent.
func TestMixKeepsTheBooks(t *testing.T) {
	bubble(t, Options{Seed: 7, Rules: Mix(0.04), ShortReplies: 0.3}, func(t *testing.T, sim *Simulator, c *client) {
		const total = 6000
		sim.Enqueue(total)
		held := map[int64]bool{}
		for sim.Ledger().Queued > 0 {
			for _, n := range Find(c.bulk(t).body) {
				held[n] = true
			}
		}
		l := sim.Ledger()
		require.Equal(t, total, l.Sent+l.Unsent)
		for _, n := range l.SentEvents() {
			require.True(t, held[n], "event %d was sent", n)
		}
		outcomes := l.Outcomes()
		for _, o := range []Outcome{OutcomeRefused, OutcomeServed, OutcomeSpoiled, OutcomeBroken} {
			require.NotZero(t, outcomes[o], o)
		}
		var again []string
		for _, r := range l.Reads {
			again = append(again, r.Fault)
		}
		slices.Sort(again)
		require.Greater(t, len(slices.Compact(again)), 15, "the mix plays nearly every fault")
	})
}
