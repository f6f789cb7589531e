// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestPagingFaults(t *testing.T) {
	overBoth(t, Fault{Kind: FaultNoHandle}, Match{}, func(t *testing.T, _ *Simulator, c *caller) {
		t.Helper()
		resp := c.get()
		require.Len(t, resp.ids(t), 500)
		require.NotContains(t, resp.header, "Paging")
	})
	overBoth(t, Fault{Kind: FaultRepeatHandle}, Match{Page: 2}, func(t *testing.T, _ *Simulator, c *caller) {
		t.Helper()
		first := c.get().handle()
		resp := c.get("handle", first)
		require.Equal(t, first, resp.handle())
		once := resp.ids(t)
		require.Equal(t, once, c.ids("handle", first))
	})
	for kind, rows := range map[FaultKind]int{FaultEndlessEmpty: 0, FaultEndlessRows: 100} {
		overBoth(t, Fault{Kind: kind}, Match{Page: 2}, func(t *testing.T, sim *Simulator, c *caller) {
			t.Helper()
			resp := c.get("handle", c.get().handle())
			require.Len(t, resp.ids(t), 100)
			seen := map[string]bool{}
			for range 5 {
				handle := resp.handle()
				require.False(t, seen[handle], "always a new handle")
				seen[handle] = true
				resp = c.get("handle", handle)
				require.Equal(t, http.StatusOK, resp.status)
				require.Len(t, resp.ids(t), rows)
			}
			require.NoError(t, sim.Script())
			resp = c.get("handle", resp.handle())
			require.Empty(t, resp.handle(), "all is well again")
		})
	}
}

func TestTokenFaults(t *testing.T) {
	type answer struct {
		Token   string `json:"access_token"`
		Expires *int   `json:"expires_in"`
	}
	tests := map[string]struct {
		fault   Fault
		expires int // -1: not told
		after   map[time.Duration]int
	}{
		"short": {Fault{Kind: FaultShortToken, Delay: Duration(10 * time.Second)}, 10, map[time.Duration]int{9 * time.Second: 204, 10 * time.Second: 401}},
		"dead":  {Fault{Kind: FaultDeadToken}, 43199, map[time.Duration]int{time.Second: 401}},
		"mute":  {Fault{Kind: FaultNoExpiry}, -1, map[time.Duration]int{11 * time.Hour: 204, 12 * time.Hour: 401}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			now := noon
			sim := New(Options{Now: func() time.Time { return now }})
			require.NoError(t, sim.Script(Rule{Fault: tc.fault}))
			c := newCaller(t, sim)
			resp, err := c.post(c.sub.TokenURL, c.form())
			require.NoError(t, err)
			var got answer
			require.NoError(t, json.Unmarshal(resp.body, &got))
			if tc.expires < 0 {
				require.Nil(t, got.Expires)
			} else {
				require.Equal(t, tc.expires, *got.Expires)
			}
			c.bearer = got.Token
			for after, want := range tc.after {
				now = noon.Add(after)
				require.Equal(t, want, c.status(), after)
			}
		})
	}
}
