// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Go's client repeats a GET by itself when a reused connection ends before the
// first byte. The read is destructive, so a batch is gone and nobody is told.
func TestSilentRepetitionOnReusedConnections(t *testing.T) {
	for _, reset := range []Reset{ResetBefore, ResetAfter} {
		for name, tt := range map[string]struct {
			keepAlive bool
			requests  int // that the server sees for two calls
		}{
			"with keep-alive":    {true, 3},
			"without keep-alive": {false, 2},
		} {
			t.Run(string(reset)+" "+name, func(t *testing.T) {
				rules := []Rule{{Reused: true, Times: 1, Fault: Fault{Reset: reset}}}
				bubble(t, Options{Rules: rules}, func(t *testing.T, sim *Simulator, c *client) {
					transport := sim.Transport()
					defer transport.CloseIdleConnections()
					transport.DisableKeepAlives = !tt.keepAlive
					c.http.Transport = transport
					sim.Enqueue(300)
					for range 2 {
						require.NoError(t, c.bulk(t).err)
					}
					l := sim.Ledger()
					require.Len(t, l.Reads, tt.requests)
					lost := 0
					if tt.keepAlive && reset == ResetAfter {
						lost = 100
						require.Equal(t, 2, l.Reads[1].Use)
						require.Equal(t, l.Reads[0].Conn, l.Reads[1].Conn)
					}
					require.Equal(t, lost, l.Unsent)
					require.Equal(t, 2+lost/100, l.Dequeues)
				})
			})
		}
	}
}

func TestRulesMatchAndEnd(t *testing.T) {
	tests := map[string]struct {
		rules []Rule
		want  []int // statuses of six reads
	}{
		"always":               {[]Rule{{Fault: Fault{Status: 500}}}, []int{500, 500, 500, 500, 500, 500}},
		"skip and times":       {[]Rule{{Skip: 1, Times: 2, Fault: Fault{Status: 500}}}, []int{204, 500, 500, 204, 204, 204}},
		"one after another":    {[]Rule{{Times: 1, Fault: Fault{Status: 500}}, {Times: 1, Fault: Fault{Status: 429}}}, []int{500, 429, 204, 204, 204, 204}},
		"of the other read":    {[]Rule{{On: Single, Fault: Fault{Status: 500}}}, []int{204, 204, 204, 204, 204, 204}},
		"of the token":         {[]Rule{{On: Token, Fault: Fault{Status: 500}}}, []int{204, 204, 204, 204, 204, 204}},
		"spoilers wait":        {[]Rule{{Times: 1, Fault: Fault{Document: Half}}}, []int{204, 204, 204, 204, 204, 204}},
		"reused":               {[]Rule{{Reused: true, Fault: Fault{Status: 500}}}, []int{204, 500, 500, 500, 500, 500}},
		"with no probability":  {[]Rule{{Chance: 1e-12, Fault: Fault{Status: 500}}}, []int{204, 204, 204, 204, 204, 204}},
		"with all probability": {[]Rule{{Chance: 1, On: Bulk, Fault: Fault{Status: 500}}}, []int{500, 500, 500, 500, 500, 500}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			bubble(t, Options{Rules: tt.rules}, func(t *testing.T, sim *Simulator, c *client) {
				var statuses []int
				for range 6 {
					statuses = append(statuses, c.bulk(t).status)
				}
				require.Equal(t, tt.want, statuses)
				sim.ClearRules()
				require.Equal(t, http.StatusNoContent, c.bulk(t).status)
			})
		})
	}
}
