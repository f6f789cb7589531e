// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// withStrays is an API that puts records into each of its pages, whatever time is asked for.
type withStrays struct {
	next   http.RoundTripper
	strays string
}

func (t withStrays) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.StatusCode != http.StatusOK || req.URL.Query().Get("time_from") == "" {
		return resp, err
	}
	page, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	_ = resp.Body.Close()
	if page = bytes.TrimSpace(page); len(page) > 2 {
		page = append(append(page[:len(page)-1], ','), t.strays+"]"...)
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(page)), int64(len(page))
	return resp, nil
}

// Whatever query brings them, and however often.
func TestEventsOfAnotherTimeThanWasAskedForArriveOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 96})
		w.transport = withStrays{w.transport, `{"message_uuid":"future","time":"2099-01-01T00:00:00.000Z","category":"audit.security-events","message":"{}"},` +
			`{"message_uuid":"past","time":"2001-01-01T00:00:00.000Z","category":"audit.security-events","message":"{}"},` +
			`{"message_uuid":"yesterday","time":"` + time.Now().Add(-20*time.Hour).UTC().Format("2006-01-02T15:04:05.000Z") + `","category":"audit.security-events","message":"{}"},` +
			`{"message_uuid":"never","time":"some time","category":"audit.security-events","message":"{}"}`}
		w.sim.Generate(w.sub.Tenant, 3000, time.Now().Add(-23*time.Hour), time.Now().Add(40*time.Hour))
		for range 3 {
			w.runFor(12 * time.Hour)
		}
		times := map[string]int{}
		for _, id := range w.sink.delivered() {
			times[id]++
		}
		for _, id := range []string{"future", "past", "yesterday", "never"} {
			require.Equal(t, 1, times[id], id)
		}
		require.Empty(t, w.sim.Ledger().Missing(w.sink.delivered(), sapbtp.VisibleBy(time.Now().Add(-2*time.Minute))))
		w.requireUniqueUIDs()
	})
}
