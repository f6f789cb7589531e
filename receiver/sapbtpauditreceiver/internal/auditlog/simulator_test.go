// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package auditlog

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/oauth"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

func TestReadsEveryRecordInEveryReadingOfPaging(t *testing.T) {
	sim := sapbtp.New(sapbtp.Options{Seed: 1, Now: func() time.Time { return to }})
	tenant := sim.Subaccount(0).Tenant
	sim.Generate(tenant, 1000, from, to)
	for handles, name := range map[sapbtp.HandleForm]string{
		sapbtp.HandleBase64: "base64", sapbtp.HandleTimeID: "time and id", sapbtp.HandleTimeIDTime: "time, id, time", sapbtp.HandleTimeEscaped: "escaped",
	} {
		for followUp, style := range map[sapbtp.FollowUp]string{
			sapbtp.HandleAndMaybeTimes: "in any style", sapbtp.HandleAlone: "alone", sapbtp.HandleWithTimes: "with times",
		} {
			t.Run(name+" "+style, func(t *testing.T) {
				trailing := followUp == sapbtp.HandleAndMaybeTimes // the last handle leads to nothing, or is empty
				sim.Configure(func(r *sapbtp.Readings) {
					r.Handles, r.FollowUp, r.TrailingHandle, r.EmptyHandle = handles, followUp, trailing, !trailing
				})
				ids := readAll(t, sim, func(page int) {
					if page == 1 {
						sim.RevokeTokens(tenant)
					}
				})
				require.Len(t, ids, 1000)
				require.Empty(t, sim.Ledger().Missing(ids))
			})
		}
	}
	require.Empty(t, sim.Ledger().Leaks())
}

// readAll pages through the simulator's records and returns their ids. afterPage is called after each page, counted from 1.
func readAll(t *testing.T, sim *sapbtp.Simulator, afterPage func(page int)) (ids []string) {
	t.Helper()
	sub := sim.Subaccount(0)
	caller := httpcall.New(&http.Client{Transport: sim.Transport()})
	c, err := New(Settings{
		Endpoint: sub.Endpoint, Caller: caller,
		Tokens: oauth.New(oauth.Settings{
			TokenURL: oauth.NormalizeTokenURL(sub.TokenURL), ClientID: sub.ClientID, Caller: caller,
			Secret: func() (string, error) { return sub.ClientSecret, nil },
		}),
	})
	require.NoError(t, err)
	handle := ""
	for n := 1; n <= 6; n++ {
		page, err := c.Page(t.Context(), Query{From: from, To: to, Handle: handle})
		require.NoError(t, err)
		var records []struct {
			ID string `json:"message_uuid"`
		}
		if !page.Empty {
			require.NoError(t, json.Unmarshal(page.Body, &records))
		}
		for _, r := range records {
			ids = append(ids, r.ID)
		}
		if page.Next == "" {
			return ids
		}
		handle = page.Next
		afterPage(n)
	}
	require.Fail(t, "paging does not end")
	return nil
}
