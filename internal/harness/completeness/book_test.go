// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package completeness

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

var noon = time.Date(2026, 10, 2, 12, 0, 0, 0, time.UTC)

func TestBookComparesWhatIsThereWithWhatCame(t *testing.T) {
	for name, tc := range map[string]struct {
		write   func(*Book)
		want    State
		missing int // of what was there before noon
	}{
		"nothing":           {func(*Book) {}, State{}, 0},
		"there, not come":   {func(b *Book) { b.Exists("a", noon.Add(-1)) }, State{Visible: 1}, 1},
		"there since later": {func(b *Book) { b.Exists("a", noon) }, State{Visible: 1}, 0},
		"come": {func(b *Book) {
			b.Exists("a", noon.Add(-1))
			b.Arrival("a", "u")
		}, State{Visible: 1, Arrived: 1}, 0},
		"come before it was known": {func(b *Book) {
			b.Arrival("a", "u")
			b.Exists("a", noon.Add(-1))
		}, State{Visible: 1, Arrived: 1}, 0},
		"told twice that it is there": {func(b *Book) {
			b.Exists("a", noon.Add(-1))
			b.Arrival("a", "u")
			b.Exists("a", noon.Add(-1))
		}, State{Visible: 1, Arrived: 1}, 0},
		"come three times": {func(b *Book) {
			b.Exists("a", noon.Add(-1))
			b.Arrival("a", "u")
			b.Arrival("a", "u")
			b.Arrival("a", "u")
		}, State{Visible: 1, Arrived: 1, Repeated: 2}, 0},
		"come again under another uid": {func(b *Book) {
			b.Exists("a", noon.Add(-1))
			b.Arrival("a", "u")
			b.Arrival("a", "v")
		}, State{Visible: 1, Arrived: 1, Repeated: 1, Renamed: 1}, 0},
		"come and not there": {func(b *Book) { b.Arrival("a", "u") }, State{Unknown: 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := NewBook()
			tc.write(b)
			require.Equal(t, tc.want, b.State())
			require.Equal(t, tc.missing, b.Missing(noon))
			require.Len(t, b.MissingIDs(noon, 5), tc.missing)
		})
	}
}

func TestArrivalTellsRepeats(t *testing.T) {
	b := NewBook()
	require.False(t, b.Arrival("a", "u"))
	require.True(t, b.Arrival("a", "u"))
	require.False(t, b.Arrival("b", "u"))
}

func TestOldestMissing(t *testing.T) {
	b := NewBook()
	require.Zero(t, b.OldestMissing(time.Time{}))
	b.Exists("a", noon.Add(time.Second))
	b.Exists("b", noon)
	b.Exists("c", noon.Add(2*time.Second))
	require.Equal(t, noon, b.OldestMissing(time.Time{}))
	require.Equal(t, noon, b.OldestMissing(noon))
	require.Equal(t, noon.Add(time.Second), b.OldestMissing(noon.Add(1)))
	require.Zero(t, b.OldestMissing(noon.Add(time.Minute)))
	b.Arrival("b", "u")
	require.Equal(t, noon.Add(time.Second), b.OldestMissing(time.Time{}))
	require.Len(t, b.MissingIDs(noon.Add(time.Hour), 1), 1)
}

func TestOrderTellsOfWhatCameBeforeSomethingNewer(t *testing.T) {
	b := NewBook()
	missing, arrived := b.Order(noon)
	require.Zero(t, missing)
	require.Zero(t, arrived)
	for i, id := range []string{"a", "b", "c", "d", "late"} {
		b.Exists(id, noon.Add(time.Duration(i)*time.Second))
	}
	b.Arrival("d", "u")
	b.Arrival("b", "u")
	b.Arrival("unknown", "u")
	missing, arrived = b.Order(noon.Add(4 * time.Second))
	require.Equal(t, noon.Add(2*time.Second), missing)
	require.Equal(t, noon.Add(time.Second), arrived)
}

func TestSAPLedgerAsksForWhatIsNew(t *testing.T) {
	var asked []string
	status, body := http.StatusOK, `{"id":"a","visible_at":"2026-10-02T11:59:00Z"}`+"\n"+`{"id":"b","visible_at":"2026-10-02T12:01:00Z"}`+"\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path+" "+r.URL.Query().Get("since"))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	defer server.Close()
	b := NewBook()
	l := NewSAPLedger(server.URL, b)
	before := time.Now()
	require.NoError(t, l.Update(t.Context()))
	require.Equal(t, State{Visible: 2}, b.State())
	require.Equal(t, 1, b.Missing(noon))
	require.NoError(t, l.Update(t.Context()))
	require.Equal(t, State{Visible: 2}, b.State())
	require.Equal(t, "/_sim/records ", asked[0])
	since, err := time.Parse("/_sim/records "+time.RFC3339, asked[1])
	require.NoError(t, err)
	require.WithinRange(t, since, before.Add(-overlap-time.Second), before)

	body = `{"id":`
	require.ErrorContains(t, l.Update(t.Context()), "reading the answer")
	status = http.StatusTeapot
	require.ErrorContains(t, l.Update(t.Context()), "418")
	server.Close()
	require.ErrorContains(t, l.Update(t.Context()), "asking the simulated SAP BTP")
}

// On a busy machine the simulator makes the records of many seconds at once, long after the times from which they count as
// visible. All of them have to be in the book, or nobody would notice their loss.
func TestSAPLedgerKnowsOfWhatASlowSimulatorMakesLate(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		sim := sapbtp.New(sapbtp.Options{})
		live := sim.Live(1)
		b := NewBook()
		l := NewSAPLedger("http://simulator", b)
		l.client.Transport = inProcess{sim.Admin()}
		for range 20 {
			require.NoError(t, l.Update(t.Context()))
			time.Sleep(time.Second)
		}
		require.Equal(t, 20, live.Tick(time.Now()))
		require.NoError(t, l.Update(t.Context()))
		require.Equal(t, State{Visible: 20}, b.State())
	})
}

// inProcess asks a handler without a network.
type inProcess struct{ handler http.Handler }

func (p inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, req)
	return w.Result(), nil
}
