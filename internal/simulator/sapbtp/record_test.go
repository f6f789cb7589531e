// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// outer is a record as the API shows it.
type outer struct {
	ID       string          `json:"message_uuid"`
	Time     time.Time       `json:"time"`
	Tenant   string          `json:"tenant"`
	Org      *string         `json:"org_id"`
	Space    *string         `json:"space_id"`
	User     string          `json:"user"`
	Category string          `json:"category"`
	Message  json.RawMessage `json:"message"`
}

// sample generates many records and gives them by producer.
func sample(t *testing.T, n int) (*Simulator, map[string][]Entry) {
	t.Helper()
	sim := New(Options{Seed: 7, Now: at(noon)})
	sim.Generate(sim.Subaccount(0).Tenant, n, noon.Add(-24*time.Hour), noon)
	by := map[string][]Entry{}
	for e := range sim.Ledger().Entries() {
		by[e.Producer] = append(by[e.Producer], e)
	}
	return sim, by
}

func TestEveryProducerWritesRecordsThatDecode(t *testing.T) {
	sim, by := sample(t, 3000)
	require.Len(t, by, len(producers)-4, "all but given bytes and the records of the collector itself")
	bytes, seen := 0, map[string]bool{}
	for name, entries := range by {
		for _, e := range entries {
			body := e.Body()
			bytes += len(body)
			var o outer
			require.NoError(t, json.Unmarshal(body, &o), "%s: %s", name, body)
			require.Equal(t, e.ID, o.ID)
			require.False(t, seen[o.ID], "unique ids")
			seen[o.ID] = true
			require.Equal(t, e.Time, o.Time)
			require.Equal(t, e.Category, o.Category)
			require.Equal(t, sim.Subaccount(0).Tenant, o.Tenant)
			require.NotEmpty(t, o.User)
			var text string
			require.NoError(t, json.Unmarshal(o.Message, &text), "a string")
			if name == "broken" {
				require.False(t, json.Valid([]byte(text)))
				require.Nil(t, o.Org)
				continue
			}
			var inner map[string]any
			require.NoError(t, json.Unmarshal([]byte(text), &inner), "%s: %s", name, text)
			require.Equal(t, o.ID, strings.TrimSpace(inner["uuid"].(string)))
		}
	}
	mean := bytes / len(seen)
	require.Greater(t, mean, 700)
	require.Less(t, mean, 1500)
}

func TestOddValuesOccur(t *testing.T) {
	_, by := sample(t, 3000)
	var all strings.Builder
	for _, entries := range by {
		for _, e := range entries {
			all.Write(e.Body())
		}
	}
	text := all.String()
	for _, want := range []string{
		`"org_id":"-"`, `"space_id":"undefined"`, `"space_id":""`, `"app_or_service_id":""`, `"org_id":null`, `"user":"UNKNOWN_USER"`,
		`"user":"user/`, `auditlog-management!b1234`, `\"uuid\":\" `, `\"successful` + `l\"`, `\"data_subjects\"`, `\"old\":null`,
		`TokenIssuedEvent`, `xs_rolecollection2user`, `action=\\\"delete\\\"`, `Eicar`, `\"success\":false`, `\"type\":\"data read event\"`,
		`successful login event`, `***4*`, `$IDP`, `müller`, `18446744073709551616`, `\\r\\n`,
	} {
		require.Contains(t, text, want)
	}
	require.Regexp(t, `"message_uuid":"[0-9A-F]{32}"`, text, "without dashes")
	require.Regexp(t, `\\"time\\":\\"[-0-9T:]+\.[0-9]{9}Z\\"`, text, "nanoseconds")
}

func TestSplitMessagesShareTheirID(t *testing.T) {
	_, by := sample(t, 3000)
	parts := by["uaa-saml"]
	require.NotEmpty(t, parts)
	ids := map[string][]float64{}
	for _, e := range parts {
		var o outer
		var text string
		var inner struct{ Data string }
		var data struct {
			MsgID string  `json:"msgId"`
			MsgNo float64 `json:"msgNo"`
		}
		require.NoError(t, json.Unmarshal(e.Body(), &o))
		require.NoError(t, json.Unmarshal(o.Message, &text))
		require.NoError(t, json.Unmarshal([]byte(text), &inner))
		require.NoError(t, json.Unmarshal([]byte(inner.Data), &data))
		ids[data.MsgID] = append(ids[data.MsgID], data.MsgNo)
	}
	for id, numbers := range ids {
		require.Equal(t, []float64{1, 2}, numbers, id)
	}
}

func TestEqualSeedsGiveEqualRecords(t *testing.T) {
	first, _ := sample(t, 300)
	second, _ := sample(t, 300)
	require.Equal(t, digests(first), digests(second))
	require.Equal(t, first.Subaccount(0).ClientSecret, second.Subaccount(0).ClientSecret)
	other := New(Options{Seed: 8, Now: at(noon)})
	other.Generate(other.Subaccount(0).Tenant, 300, noon.Add(-24*time.Hour), noon)
	require.NotEqual(t, digests(first), digests(other))
}

func digests(sim *Simulator) []string {
	var out []string
	for e := range sim.Ledger().Entries() {
		out = append(out, e.Digest())
	}
	return out
}

func TestGivenBytesAreServedUnchanged(t *testing.T) {
	sim := New(Options{Now: at(noon)})
	tenant := sim.Subaccount(0).Tenant
	body := `{"message_uuid":"x-1","time":"2026-09-14T11:00:00.5Z","category":"audit.data-access","message":{"a":1.50}}`
	ids := sim.Add(tenant, Record{JSON: []byte(body)}, Record{ID: "mine", Time: noon, JSON: []byte(`"no object"`)})
	require.Equal(t, []string{"x-1", "mine"}, ids)
	c := newCaller(t, sim)
	require.JSONEq(t, "["+body+`,"no object"]`, string(c.get().body))
	require.Equal(t, []string{"x-1"}, c.ids("category", CategoryDataAccess))
}

func TestLatenessTextForm(t *testing.T) {
	late, err := ParseLateness("90:0s-30s, 9:10m-20m,1:5h")
	require.NoError(t, err)
	require.Equal(t, Lateness{{90, 0, 30 * time.Second}, {9, 10 * time.Minute, 20 * time.Minute}, {1, 5 * time.Hour, 5 * time.Hour}}, late)
	again, err := ParseLateness(late.String())
	require.NoError(t, err)
	require.Equal(t, late, again)
	for _, bad := range []string{"x", "1", "0:1s", "1:2s-1s", "1:-1s", "1:soon", "1:1s-soon"} {
		_, err := ParseLateness(bad)
		require.ErrorIs(t, err, errLateness, bad)
	}
}

func TestGeneratedRecordsAreLateAsAsked(t *testing.T) {
	late, err := ParseLateness("80:0s,20:10m-20m")
	require.NoError(t, err)
	sim := New(Options{Now: at(noon), Lateness: late})
	sim.Generate(sim.Subaccount(0).Tenant, 1000, noon.Add(-time.Hour), noon)
	lag := 0
	for e := range sim.Ledger().Entries() {
		if d := e.VisibleAt.Sub(e.Time); d > 0 {
			lag++
			require.GreaterOrEqual(t, d, 10*time.Minute)
			require.Less(t, d, 20*time.Minute)
		}
	}
	require.InDelta(t, 200, lag, 50)
}
