// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

func TestReplyIsJudgedByWhatItHolds(t *testing.T) {
	const html = "text/html; charset=utf-8"
	full := `{"events":[` + strings.Repeat(`{"log_type":"incident"},`, 99) + `{"log_type":"incident"}]}`
	for _, tt := range []struct {
		body, contentType, outcome string
		events                     int
	}{
		{"", "", "empty", 0},
		{" \r\n", "", "empty", 0},
		{"null", "", "empty", 0},
		{"[]", "", "empty", 0},
		{"{ }", "", "empty", 0},
		{`{"events": [ ] }`, "", "empty", 0},
		{`{"events":[],"count":0,"next":null}`, "", "empty", 0},
		{`{"count":0,"events":null,"message":"none"}`, "", "empty", 0},
		{`{"events":[],"error":null,"errors":[]}`, "", "empty", 0},
		{`{"events":[]}`, html, "empty", 0},

		{full, "", "events", 100},
		{full, html, "events", 100},
		{`{"log_type":"incident"}`, "", "events", 1},
		{`{"events":[{"log_type":"incident"},{"log_`, "", "events", 1},
		{`{"events":[{"type":"of a new kind"},{"type":"too"}]}`, "", "events", 2},
		{`[{"type":"of a new kind"}]`, "", "events", 1},

		{`{"status":"ok","data":{"events":[{"log_type":"incident"},{"log_type":"incident"}]}}`, "", "events", 2},
		{"\ufeff" + `{"events":[{"log_type":"incident"}]}`, "", "events", 1},
		{"{\"log_type\":\"incident\"}\n{\"log_type\":\"incident\"}\n", "application/x-ndjson", "events", 2},
		{`{"resources":[{"id":1},{"id":2}]}`, "", "events", 2},
		{`[[{"log_type":"incident"}],[{"log_type":"incident"}]]`, "", "events", 2},
		{`{"status":"ok","data":{"log_type":"incident"}}`, "", "events", 1},
		{`{"log_type":"incident","item`, "", "events", 1},
		{`{"data":{"events":[]}}`, "", "empty", 0},
		{"\ufeff" + `{"events":[]}`, "", "empty", 0},
		{`{"data":[]}`, "", "empty", 0},
		{`{"data":{"events":[],"error":"x"}}`, "", "not_events", 0},
		{`{"data":{"a":[1,2]}}`, "", "not_events", 0},

		{"", html, "not_events", 0},
		{"\n<!DOCTYPE html><p>please log in", html, "not_events", 0},
		{`<script>{"log_type":1}</script>`, "", "not_events", 0},
		{"service unavailable", "text/plain", "not_events", 0},
		{`{"error":"maintenance"}`, "", "not_events", 0},
		{`{"events":null,"error":"maintenance"}`, "", "not_events", 0},
		{`{"events":[],"errors":[{"code":7}]}`, "", "not_events", 0},
		{`{"events":"none"}`, "", "not_events", 0},
		{`{"events":[`, "", "not_events", 0},
		{`"maintenance"`, "", "not_events", 0},
		{"7", "", "not_events", 0},
	} {
		t.Run(tt.contentType+" "+tt.body[:min(40, len(tt.body))], func(t *testing.T) {
			r := &reply{path: pathBulk, status: http.StatusOK, header: http.Header{"Content-Type": {tt.contentType}}, body: []byte(tt.body)}
			r.look()
			require.Equal(t, tt.outcome, r.outcome())
			require.Equal(t, tt.events, r.events)
			require.Equal(t, tt.outcome == "empty", r.empty())
			require.Equal(t, tt.events == 100, r.full())
		})
	}
}

// always lets every read be answered with this body.
func (w *world) always(contentType, body string) *atomic.Int64 {
	reads := new(atomic.Int64)
	w.network.reads = roundTripper(func(r *http.Request) (*http.Response, error) {
		reads.Add(1)
		time.Sleep(50 * time.Millisecond)
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {contentType}},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
		}, nil
	})
	return reads
}

func TestSuccessWithoutEventsIsNotReadWithoutPause(t *testing.T) {
	for name, tt := range map[string]struct {
		contentType, body string
		trouble           string
	}{
		"page of a proxy":        {"text/html", "<html><body>please log in</body></html>", "neither events nor an empty list"},
		"error of a gateway":     {"application/json", `{"error":"maintenance"}`, "neither events nor an empty list"},
		"error beside no events": {"application/json", `{"events":null,"error":"x"}`, "neither events nor an empty list"},
		"empty list and a count": {"application/json", `{"events":[],"count":0}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{})
				reads := w.always(tt.contentType, tt.body)
				l := w.mustStart()
				time.Sleep(10 * time.Minute)
				require.LessOrEqual(t, reads.Load(), int64(20))
				require.LessOrEqual(t, w.metric("saas_security_readers"), 1)
				require.EqualValues(t, reads.Load(), w.metric("saas_security_commit_duration"), "its bytes are kept all the same")
				if tt.trouble == "" {
					require.Empty(t, l.host.troubles())
					require.Less(t, w.metric("saas_security_expiry_risk"), 60)
				} else {
					require.Contains(t, l.host.troubles(), "reading: "+opRead+": the reply says success but holds "+tt.trouble)
					require.InDelta(t, 600, w.metric("saas_security_expiry_risk"), 60, "such a reply says nothing about the queue")
				}
				l.stop(t)
			})
		})
	}
}

// Who reads a login page for two hours has read nothing, and has to say so.
func TestPageOfAProxyDoesNotHideExpiry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.runFor(time.Minute)
		w.sim.AddRules(saassecurity.Rule{Fault: saassecurity.Fault{Document: saassecurity.HTML}})
		w.sim.Enqueue(500)
		l := w.mustStart()
		time.Sleep(30 * time.Minute)
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than 20 minutes")
		require.Contains(t, l.host.troubles(), "reading: ")
		time.Sleep(90 * time.Minute)
		require.Equal(t, 500, w.sim.Ledger().Expired)
		require.Positive(t, w.metric("saas_security_reads", "outcome", "not_events"))
		require.Contains(t, l.host.troubles(), "expiry: reading is behind for more than an hour")
		w.sim.ClearRules()
		time.Sleep(2 * time.Minute)
		require.InDelta(t, 3600, w.metric("saas_security_gap"), 120)
		require.Equal(t, 1, w.sink.byName()[eventGap])
		require.NotContains(t, l.host.troubles(), "reading")
		l.stop(t)
	})
}
