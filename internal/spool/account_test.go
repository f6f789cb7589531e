// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
)

// Segments are sealed, closed, opened again and used again while entries of all sizes come and go, with restarts between: as
// with large replies, or while nothing is delivered for a while. What was committed comes, and nobody says that any was missing.
func TestNothingIsSaidToBeMissingThatIsNot(t *testing.T) {
	for _, plain := range []bool{false, true} {
		for seed := range uint64(20) {
			t.Run(fmt.Sprintf("plain=%t seed %d", plain, seed), func(t *testing.T) {
				rnd := rand.New(rand.NewPCG(seed, 8))
				disk := crashtest.NewDisk()
				st := newStore(disk)
				st.Plain = plain
				quiet := func(set *Settings) { set.Logger = zap.NewNop() }
				s := st.spool(t, quiet)
				want, got := map[string]bool{}, map[string]bool{}
				var held []*Entry
				take := func() {
					if s.Stats().Entries <= len(held) {
						return
					}
					e, err := s.Next(t.Context())
					require.NoError(t, err)
					require.NoError(t, e.Err)
					held = append(held, e)
				}
				for step := range 400 {
					switch what := rnd.IntN(100); {
					case what < 45 || (step/100)%2 == 0 && what < 60: // with outages of the next component
						body := fmt.Sprintf("%d %s", step, strings.Repeat("x", rnd.IntN(2200)))
						if s.Stats().Bytes < 500_000 {
							commit(t, s, body)
							want[body] = true
						}
					case what < 70:
						take()
					case what < 75 && len(held) > 0:
						s.Return(held[0])
						held = held[1:]
					case what < 98 && len(held) > 0:
						e := held[len(held)-1]
						held = held[:len(held)-1]
						require.NoError(t, s.Delete(t.Context(), e))
						got[string(e.Body)] = true
					case what == 98:
						require.Zero(t, s.Stats().Missing, "step %d", step)
						require.NoError(t, s.Close(t.Context()))
						st = newStore(disk)
						st.Plain = plain
						s, held = st.spool(t, quiet), nil
					case what == 99: // a kill: nothing is noted at the end
						require.Zero(t, s.Stats().Missing, "step %d", step)
						st = newStore(disk.Clone())
						st.Plain = plain
						killed, err := Open(t.Context(), Settings{
							Root: st.Uncounted("root"), OpenClient: st.OpenClient, MaxBytes: 1 << 20, SegmentBytes: 4 << 10, Logger: zap.NewNop(),
						})
						require.NoError(t, err)
						drain(t, killed)
						require.Zero(t, killed.Stats().Missing, "step %d", step)
						require.NoError(t, killed.Close(t.Context()))
					}
				}
				for _, e := range held {
					s.Return(e)
				}
				for _, body := range drain(t, s) {
					got[body] = true
				}
				assert.Equal(t, want, got)
				require.Zero(t, s.Stats().Missing)
				require.Zero(t, s.Stats().Lost)
				require.Zero(t, s.Stats().Repaired)
			})
		}
	}
}
