// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// What a kill costs while a request is on the network, by how far the server had come. One reader reads while the sink is
// down, so that nothing else is going on.
func TestKillsWhileARequestIsUnderWay(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		moment string
		lost   []int // replies, if there were events for the read
	}{
		"S2":         {arrived, []int{0}},
		"S3":         {unsent, []int{1}},
		"S4":         {halfSent, []int{1}},
		"S5 or more": {sent, []int{0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			each(t, replies, func(t *testing.T, nth int) bool {
				w := newSaaS(t, 1, saassecurity.Options{}, nil)
				killed := w.live(saasLife(down), &request{path: bulkPath, moment: tc.moment, nth: nth})
				counted := 0
				if killed {
					counted = 1
				}
				got := w.settle(saasLife())
				require.Zero(t, got.repeated)
				require.Equal(t, counted, w.doubt, "the read that was under way is counted")
				if killed && nth < replies {
					require.Contains(t, tc.lost, got.lost)
				} else {
					require.Zero(t, got.lost, "the queue was empty by then")
				}
				return killed
			})
		})
	}
}

// S14: a read that is answered with 401 takes nothing off the queue, and the token is renewed once.
func TestKillsAroundARefusedToken(t *testing.T) {
	t.Parallel()
	for path, atLeast := range map[string]int{"/oauth/token": 2, bulkPath: replies} {
		for _, moment := range []string{arrived, unsent, halfSent, sent} {
			t.Run("S14"+path+"/"+moment, func(t *testing.T) {
				t.Parallel()
				each(t, atLeast, func(t *testing.T, nth int) bool {
					const refused = 2
					w := newSaaS(t, 1, saassecurity.Options{Rules: []saassecurity.Rule{
						{On: saassecurity.Bulk, Skip: refused, Times: 1, Fault: saassecurity.Fault{Status: 401}},
					}}, nil)
					killed := w.live(saasLife(down), &request{path: path, moment: moment, nth: nth})
					got := w.settle(saasLife())
					if path != bulkPath || nth == refused || !killed {
						require.Zero(t, got.lost)
					}
					if !killed {
						require.Len(t, w.sim.Ledger().Tokens, 3, "one for each life, and one for the 401")
					}
					return killed
				})
			})
		}
	}
}
