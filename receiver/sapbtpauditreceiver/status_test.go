// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/crashtest"
	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// statusHost keeps the status events that a receiver reports.
type statusHost struct {
	component.Host

	mu     sync.Mutex
	events []string // "StatusOK", or the name and the text of the error
}

var _ componentstatus.Reporter = (*statusHost)(nil)

func newStatusHost(w *world, options ...crashtest.Option) *statusHost {
	return &statusHost{Host: crashtest.NewHost(crashtest.NewExtension(w.disk, options...))}
}

func (h *statusHost) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := event.Status().String()
	if event.Err() != nil {
		text += " " + event.Err().Error()
	}
	h.events = append(h.events, text)
}

// take returns the events since the last call.
func (h *statusHost) take() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	events := h.events
	h.events = nil
	return events
}

const (
	statusOK          = "StatusOK"
	statusRecoverable = "StatusRecoverableError"
)

// The service reports the start and the stop itself, and repeated events would be passed on as often as they are reported.
func TestTheStatusFollowsOutagesOnChangeOnly(t *testing.T) {
	status := func(kind sapbtp.Kind, code int) func(*testing.T, *world) {
		return func(t *testing.T, w *world) {
			t.Helper()
			w.sim.RevokeTokens(w.sub.Tenant)
			require.NoError(t, w.sim.Script(sapbtp.Rule{
				Match: sapbtp.Match{Kind: kind}, Fault: sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: code},
			}))
		}
	}
	for _, tc := range []struct {
		name   string
		outage func(*testing.T, *world)
		says   []string
	}{
		{"server error", status(sapbtp.KindRecords, 503), []string{"reading ", "the server failed (HTTP 503)"}},
		{"rights withdrawn", status(sapbtp.KindRecords, 403), []string{"reading ", "HTTP 403", "service key must be one of the Audit Log Management service"}},
		{"credentials revoked", status(sapbtp.KindToken, 401), []string{"reading ", "the token endpoint refused the credentials (HTTP 401"}},
		{"network down", func(t *testing.T, w *world) {
			t.Helper()
			require.NoError(t, w.sim.Script(sapbtp.Rule{Fault: sapbtp.Fault{Kind: sapbtp.FaultReset}}))
		}, []string{"reading ", "auditlog-management"}},
		{"backend down", func(_ *testing.T, w *world) { w.sink.refuse(errDown) }, []string{"delivery ", "refuses log records for now"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := traffic(t)
				host := newStatusHost(w)
				r, err := w.startOn(host)
				require.NoError(t, err)
				time.Sleep(30 * time.Minute)
				require.Empty(t, host.take(), "the service says that a started component is well")

				for range 2 {
					tc.outage(t, w)
					time.Sleep(30 * time.Minute)
					events := host.take()
					require.Len(t, events, 1, "once, for as long as nothing changes")
					require.True(t, strings.HasPrefix(events[0], statusRecoverable), events[0])
					for _, part := range tc.says {
						require.Contains(t, events[0], part)
					}

					require.NoError(t, w.sim.Script())
					w.sink.refuse(nil)
					time.Sleep(30 * time.Minute)
					require.Equal(t, []string{statusOK}, host.take())
				}

				tc.outage(t, w)
				require.NoError(t, r.Shutdown(t.Context()))
				time.Sleep(time.Hour)
				require.Empty(t, host.take(), "nothing is reported while stopping and after")
			})
		})
	}
}

// A record in the quarantine needs somebody to look at it, and stays a cause beside those that come and go.
func TestTheStatusNamesEveryCause(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		host := newStatusHost(w)
		poison := w.sim.Add(w.sub.Tenant, sapbtp.Record{Time: time.Now().Add(10 * time.Minute)})[0]
		w.sink.accept = refusing(poison)
		r, err := w.startOn(host)
		require.NoError(t, err)
		time.Sleep(2 * time.Hour)
		id := keyOf(w, "")
		quarantine := "quarantine " + id + ": " + errQuarantine.Error()
		events := host.take()
		require.Equal(t, statusRecoverable+" "+quarantine, events[len(events)-1])

		w.sink.refuse(errDown)
		time.Sleep(time.Hour)
		events = host.take()
		require.Len(t, events, 1)
		require.Contains(t, events[0], "delivery "+id+": ")
		require.Contains(t, events[0], "; "+quarantine)

		w.sink.refuse(nil)
		time.Sleep(time.Hour)
		require.Equal(t, []string{statusRecoverable + " " + quarantine}, host.take())
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

// refusing is a backend that refuses one record for good.
func refusing(id string) func(plog.Logs) error {
	return func(logs plog.Logs) error {
		for _, lr := range observed.Records(logs) {
			if found, ok := lr.Attributes().Get("sap.btp.audit.message_uuid"); ok && found.Str() == id {
				return consumererror.NewPermanent(errDown)
			}
		}
		return nil
	}
}

func TestAStorageThatFailsIsAStatus(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		w.runFor(time.Hour)
		host := newStatusHost(w, crashtest.FailSet("", 30, errDown))
		r, err := w.startOn(host)
		require.NoError(t, err)
		time.Sleep(3 * time.Hour)
		require.Equal(t, []string{
			statusRecoverable + " checkpoint " + keyOf(w, "") + ": " + errCheckpoint.Error(), statusOK,
		}, host.take())
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

// An API that wants to be left alone for an hour is left alone, and that does not look like health.
func TestALongRetryAfterIsKeptAndShown(t *testing.T) {
	for _, status := range []int{429, 503} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := traffic(t)
				host := newStatusHost(w)
				r, err := w.startOn(host)
				require.NoError(t, err)
				time.Sleep(10 * time.Minute)
				require.NoError(t, w.sim.Script(sapbtp.Rule{
					Match: sapbtp.Match{Kind: sapbtp.KindRecords}, Fault: sapbtp.Fault{Kind: sapbtp.FaultStatus, Status: status, RetryAfter: "3600"},
				}))
				host.take()
				before := w.sim.Ledger().Total(sapbtp.KindRecords)
				time.Sleep(10 * time.Minute)
				events := host.take()
				require.NotEmpty(t, events)
				require.Contains(t, events[len(events)-1], "throttled ")
				require.Contains(t, events[len(events)-1], "retry after 1h0m0s")
				time.Sleep(30 * time.Minute)
				require.LessOrEqual(t, w.sim.Ledger().Total(sapbtp.KindRecords)-before, r.cfg.Concurrency)
				require.Len(t, w.logs.FilterMessageSnippet("wants to be left alone").All(), 1)

				require.NoError(t, w.sim.Script())
				time.Sleep(time.Hour)
				events = host.take()
				require.Equal(t, statusOK, events[len(events)-1])
				require.NoError(t, r.Shutdown(t.Context()))
				w.requireExactlyOnce(sapbtp.VisibleBy(time.Now().Add(-5 * time.Minute)))
			})
		})
	}
}

// Of windows that are read in parallel one is told to wait for an hour while others are still answered.
func TestAnswersUnderWayDoNotHideALongRetryAfter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 93}, func(c *Config) { c.InitialLookback = 30 * 24 * time.Hour })
		host := newStatusHost(w)
		w.transport = &heldOnce{next: w.transport}
		r, err := w.startOn(host)
		require.NoError(t, err)
		time.Sleep(30 * time.Minute)
		events := host.take()
		require.NotEmpty(t, events)
		require.Contains(t, events[len(events)-1], "throttled ")
		time.Sleep(time.Hour)
		events = host.take()
		require.Equal(t, statusOK, events[len(events)-1])
		require.NoError(t, r.Shutdown(t.Context()))
	})
}

// heldOnce answers the tenth request with 429 and an hour to wait, and all others after three seconds.
type heldOnce struct {
	next  http.RoundTripper
	count atomic.Int64
}

func (h *heldOnce) RoundTrip(req *http.Request) (*http.Response, error) {
	if h.count.Add(1) == 10 {
		resp, err := answer(http.StatusTooManyRequests, "")(req)
		resp.Header.Set("Retry-After", "3600")
		return resp, err
	}
	time.Sleep(3 * time.Second)
	return h.next.RoundTrip(req)
}
