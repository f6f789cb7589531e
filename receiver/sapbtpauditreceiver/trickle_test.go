// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// Together the slow subaccounts have more requests under way than there are places for pages.
func TestSubaccountsWhoseAnswersComeSlowlyHoldUpNoOther(t *testing.T) {
	t.Parallel()
	const sick, poll, life = 60, 10 * time.Second, 3 * time.Minute
	for name, fault := range map[string]sapbtp.Fault{
		"steadily":       {Kind: sapbtp.FaultTrickle, Bytes: 10_000, Delay: sapbtp.Duration(time.Second)},
		"not so slowly":  {Kind: sapbtp.FaultTrickle, Bytes: 10_000, Delay: sapbtp.Duration(200 * time.Millisecond)},
		"with long gaps": {Kind: sapbtp.FaultTrickle, Bytes: 50_000, Delay: sapbtp.Duration(9 * time.Second)},
		"to begin":       {Kind: sapbtp.FaultSlow, Delay: sapbtp.Duration(50 * time.Second)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			virtually(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 91, Subaccounts: sick + 1}, func(c *Config) {
					c.ClientConfig.Endpoint, c.TokenURL, c.ClientID, c.ClientSecret = "", "", "", ""
					c.PollInterval = poll
				})
				configure := w.configure
				w.configure = func(c *Config) { configure(c); c.ServiceKey = w.bindings() }
				healthy := w.sub.Tenant
				var rules []sapbtp.Rule
				for _, sub := range w.sim.Subaccounts() {
					w.sim.Generate(sub.Tenant, 1000, time.Now().Add(-time.Hour), time.Now())
					if sub.Tenant != healthy {
						w.sim.Generate(sub.Tenant, 500, time.Now(), time.Now().Add(life))
						rules = append(rules, sapbtp.Rule{Match: sapbtp.Match{Kind: sapbtp.KindRecords, Tenant: sub.Tenant}, Fault: fault})
					}
				}
				w.sim.Generate(healthy, 1000, time.Now(), time.Now().Add(life))
				require.NoError(t, w.sim.Script(rules...))
				began := time.Now()
				w.runFor(life)
				worst := time.Duration(0)
				for e := range w.sim.Ledger().Entries(sapbtp.InTenant(healthy), sapbtp.VisibleBy(time.Now().Add(-2*poll))) {
					arrived := w.sink.at[e.ID]
					require.NotZero(t, arrived, "visible since %s", e.VisibleAt)
					if e.VisibleAt.After(began) {
						worst = max(worst, arrived.Sub(e.VisibleAt))
					}
				}
				t.Logf("worst lag %s", worst)
				require.LessOrEqual(t, worst, poll*3/2)
			})
		})
	}
}

// bindings are the keys of all subaccounts in one text.
func (w *world) bindings() configopaque.String {
	w.t.Helper()
	type binding struct {
		Credentials json.RawMessage `json:"credentials"`
	}
	var all []binding
	for _, sub := range w.sim.Subaccounts() {
		all = append(all, binding{sub.ServiceKey(sapbtp.SecretKey)})
	}
	text, err := json.Marshal(map[string][]binding{"auditlog-management": all})
	require.NoError(w.t, err)
	return configopaque.String(text)
}

// piece is a part of a body and how long it takes to come.
type piece struct {
	after time.Duration
	size  int
}

type slowly struct {
	ctx    context.Context
	pieces []piece
}

func (s *slowly) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	if err := sleep(s.ctx, s.pieces[0].after); s.pieces[0].after > 0 && err != nil {
		return 0, err
	}
	s.pieces[0].after = 0
	n := copy(p, bytes.Repeat([]byte("x"), s.pieces[0].size))
	if s.pieces[0].size -= n; s.pieces[0].size == 0 {
		s.pieces = s.pieces[1:]
	}
	return n, nil
}

func (*slowly) Close() error { return nil }

// What an answer has in memory is little, or has a place.
func TestABodyThatComesSlowlyChangesItsPlace(t *testing.T) {
	t.Parallel()
	const late = lendAfter + time.Second
	for name, tc := range map[string]struct {
		pieces      []piece
		quick, slow int // places in use once it stops
		slowTaken   bool
		received    int
	}{
		"a small one needs none":         {pieces: []piece{{0, 1000}, {time.Minute, 0}}, received: 1000},
		"before it is late it keeps its": {pieces: []piece{{0, 1000}, {lendAfter - time.Millisecond, 0}}, quick: 1, received: 1000},
		"growing it takes a slow one":    {pieces: []piece{{late, 2 * smallBody}, {time.Minute, 0}}, slow: 1, received: 2 * smallBody},
		"grown it changes to a slow one": {pieces: []piece{{0, 2 * smallBody}, {time.Minute, 0}}, slow: 1, received: 2 * smallBody},
		"without one it does not grow":   {pieces: []piece{{late, 2 * smallBody}, {time.Minute, 0}}, slow: 1, slowTaken: true, received: smallBody},
		"grown and without one it stays": {pieces: []piece{{0, 2 * smallBody}, {time.Minute, 0}}, quick: 1, slow: 1, slowTaken: true, received: 2 * smallBody},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			virtualtime.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				l, slow := &lease{from: newGate(1)}, newGate(1)
				if tc.slowTaken {
					require.True(t, slow.tryEnter())
				}
				require.NoError(t, l.take(ctx))
				body := newLentBody(ctx, &slowly{ctx, tc.pieces}, l, slow)
				var got bytes.Buffer
				ended := make(chan error)
				go func() {
					_, err := got.ReadFrom(body)
					ended <- errors.Join(err, body.Close())
				}()
				wait := 2 * late
				if last := tc.pieces[len(tc.pieces)-1].after; last < late {
					wait = last - time.Millisecond
				}
				time.Sleep(wait)
				synctest.Wait()
				require.Equal(t, tc.received, got.Len())
				require.Len(t, l.from, tc.quick)
				require.Len(t, slow, tc.slow)

				cancel()
				require.ErrorIs(t, <-ended, context.Canceled)
				l.free()
				require.Empty(t, l.from)
				time.Sleep(time.Hour)
				if tc.slowTaken {
					slow.leave()
				}
				require.Empty(t, slow)
			})
		})
	}
}

func TestAPageThatCameSlowlyHasAPlaceInTheEnd(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"small": 1000, "of just that size": smallBody, "large": 3 * smallBody} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			virtualtime.Test(t, func(t *testing.T) {
				l, slow := &lease{from: newGate(1)}, newGate(1)
				require.NoError(t, l.take(t.Context()))
				body := newLentBody(t.Context(), &slowly{t.Context(), []piece{{time.Minute, size}}}, l, slow)
				text, err := io.ReadAll(body)
				require.NoError(t, err)
				require.NoError(t, body.Close())
				require.Equal(t, strings.Repeat("x", size), string(text))
				require.Equal(t, 1, len(l.from)+len(slow), "it holds one place until it is delivered")
				l.free()
				require.Zero(t, len(l.from)+len(slow))
			})
		})
	}
}
