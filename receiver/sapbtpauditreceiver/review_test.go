// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"bytes"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// badSecond is a way to the simulator on which every query fails that covers one second of event time.
type badSecond struct {
	next   http.RoundTripper
	second time.Time
	fail   func(*http.Request) (*http.Response, error)
	failed atomic.Int64
}

func (b *badSecond) RoundTrip(req *http.Request) (*http.Response, error) {
	q := req.URL.Query()
	from, err1 := time.Parse("2006-01-02T15:04:05", q.Get("time_from"))
	to, err2 := time.Parse("2006-01-02T15:04:05", q.Get("time_to"))
	if err1 != nil || err2 != nil || from.After(b.second) || to.Before(b.second.Add(time.Second)) {
		return b.next.RoundTrip(req)
	}
	b.failed.Add(1)
	return b.fail(req)
}

func answer(status int, body string) func(*http.Request) (*http.Response, error) {
	return func(req *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"Date": {time.Now().UTC().Format(http.TimeFormat)}}, Request: req,
			Body: io.NopCloser(bytes.NewReader([]byte(body))),
		}, nil
	}
}

func hang(req *http.Request) (*http.Response, error) {
	select {
	case <-time.After(2 * time.Minute):
		return nil, http.ErrHandlerTimeout
	case <-req.Context().Done():
		return nil, req.Context().Err()
	}
}

// One second that cannot be read, however that shows, must not keep the rest from being read, nor flood server and log.
func TestOneBadSecondDoesNotStopTheStream(t *testing.T) {
	for name, tc := range map[string]struct {
		fail    func(*http.Request) (*http.Response, error)
		latency time.Duration
	}{
		"500": {answer(500, "<html>"), 5 * time.Minute},
		"503 that says for how long": {func(req *http.Request) (*http.Response, error) {
			resp, err := answer(503, "")(req)
			resp.Header.Set("Retry-After", "240")
			return resp, err
		}, 5 * time.Minute},
		"half a document":  {answer(200, `[{"message_uuid":"x"`), 5 * time.Minute},
		"never an answer":  {hang, 10 * time.Minute},
		"a page too large": {answer(413, ""), 5 * time.Minute},
	} {
		for _, concurrency := range []int{1, 4} {
			t.Run(name, func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					w := newWorld(t, sapbtp.Options{Seed: 51}, func(c *Config) { c.Concurrency = concurrency })
					now := time.Now()
					w.sim.Generate(w.sub.Tenant, 2000, now.Add(-20*time.Hour), now)
					w.sim.Generate(w.sub.Tenant, 2000, now, now.Add(6*time.Hour))
					bad := &badSecond{next: w.transport, second: now.Add(-10 * time.Hour), fail: tc.fail}
					w.transport = bad
					w.runFor(7 * time.Hour)
					// The bad second and its neighbours, which every query for it includes.
					around := sapbtp.Between(bad.second.Add(-3*time.Second), bad.second.Add(4*time.Second))
					missing := w.sim.Ledger().Missing(w.sink.delivered())
					require.LessOrEqual(t, len(missing), w.sim.Ledger().Count(around), "%v", w.messages(zapcore.WarnLevel))
					w.requireNoDuplicates(0)
					require.Less(t, bad.failed.Load(), int64(1500), "three windows of a second, each asked for every few minutes, a few times")
					require.Less(t, w.logs.FilterLevelExact(zapcore.WarnLevel).Len(), 200)
					for e := range w.sim.Ledger().Entries(sapbtp.Between(now.Add(time.Hour), now.Add(6*time.Hour))) {
						require.Less(t, w.sink.at[e.ID].Sub(e.Time), tc.latency, "what is new is not held up")
					}
				})
			})
		}
	}
}

// A server that answers everything with garbage for half a day is sick; nothing is written off, nothing repeated.
func TestALongOutageThatAnswers200LosesNothing(t *testing.T) {
	for _, kind := range []sapbtp.FaultKind{sapbtp.FaultHTML, sapbtp.FaultHalf} {
		t.Run(string(kind), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, sapbtp.Options{Seed: 52}, func(c *Config) {
					c.Sweeps = []time.Duration{0, 5 * time.Minute, time.Hour}
				})
				now := time.Now()
				w.sim.Generate(w.sub.Tenant, 2000, now.Add(-12*time.Hour), now.Add(6*time.Hour))
				require.NoError(t, w.sim.Script(sapbtp.Rule{
					Match: sapbtp.Match{Kind: sapbtp.KindRecords, After: sapbtp.Duration(time.Minute), Before: sapbtp.Duration(4 * time.Hour)},
					Fault: sapbtp.Fault{Kind: kind},
				}))
				w.runFor(9 * time.Hour)
				w.requireExactlyOnce()
				require.Zero(t, w.sink.count("sap.btp.audit.gap"))
				require.Less(t, w.sim.Ledger().Total(sapbtp.KindRecords), 6000)
				require.Less(t, w.logs.Len(), 250)
			})
		})
	}
}

func TestASparseBackfillRepeatsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, sapbtp.Options{Seed: 53}, func(c *Config) { c.InitialLookback = 30 * 24 * time.Hour })
		now := time.Now()
		w.sim.Generate(w.sub.Tenant, 150, now.Add(-5*24*time.Hour), now)
		w.runFor(2 * time.Hour)
		w.requireExactlyOnce()
	})
}

func TestAnAnswerOutOfACacheMovesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		require.NoError(t, w.sim.Script(sapbtp.Rule{
			Match: sapbtp.Match{Kind: sapbtp.KindRecords, Every: 20},
			Fault: sapbtp.Fault{Kind: sapbtp.FaultDate, Text: "Wed, 01 Jan 2020 00:00:00 GMT"},
		}))
		w.runFor(30 * time.Hour)
		w.requireExactlyOnce()
		require.Zero(t, w.sink.count("sap.btp.audit.gap"))
	})
}

func TestAServerWhoseClockIsYearsBehindIsStillRead(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		require.NoError(t, w.sim.Script(sapbtp.Rule{
			Match: sapbtp.Match{Kind: sapbtp.KindRecords, Before: sapbtp.Duration(10 * time.Hour)},
			Fault: sapbtp.Fault{Kind: sapbtp.FaultDate, Text: "Wed, 01 Jan 2020 00:00:00 GMT"},
		}))
		w.runFor(40 * time.Hour)
		w.requireExactlyOnce()
	})
}

// At the first start the local clock may be far ahead, as on a device without a battery; the first answer shows it.
func TestALocalClockFarAheadAtTheStartGivesNothingUp(t *testing.T) {
	for _, interval := range []time.Duration{time.Minute, time.Hour} {
		t.Run(interval.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				behind := 200 * 24 * time.Hour
				w := newWorld(t, sapbtp.Options{Seed: 54, Now: func() time.Time { return time.Now().Add(-behind) }}, func(c *Config) {
					c.InitialLookback, c.PollInterval = 10*24*time.Hour, interval
				})
				// A life with the right clock.
				ahead := behind
				behind = 0
				w.sim.Generate(w.sub.Tenant, 4000, time.Now().Add(-2*24*time.Hour), time.Now().Add(time.Hour))
				w.runFor(30 * time.Minute)
				// Then one that begins 200 days ahead of the server.
				time.Sleep(ahead)
				behind = ahead
				w.runFor(3 * time.Hour)
				require.Zero(t, w.sink.count("sap.btp.audit.gap"))
				w.requireExactlyOnce()
			})
		})
	}
}

func TestPagingThatEndsWithAnEmptyPageCostsNoStorm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		require.NoError(t, w.sim.Script(sapbtp.Rule{Match: sapbtp.Match{Kind: sapbtp.KindRecords}, Fault: sapbtp.Fault{Kind: sapbtp.FaultEndlessEmpty}, Times: 0}))
		w.runFor(2 * time.Hour)
		require.Less(t, w.sim.Ledger().Total(sapbtp.KindRecords), 2*60*60)
		require.NoError(t, w.sim.Script())
		w.runFor(30 * time.Hour)
		w.requireExactlyOnce()
	})
}

// Credentials in another form lead to the same progress.
func TestTheProgressBelongsToTheSubaccountAndNotToTheFormOfTheCredentials(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		explicit := w.configure
		key := func(c *Config) {
			explicit(c)
			c.ClientConfig.Endpoint, c.TokenURL, c.ClientID, c.ClientSecret = "", "", "", ""
			c.ServiceKey = configopaque.String(w.sub.ServiceKey(sapbtp.SecretKey))
		}
		for _, form := range []func(*Config){explicit, key, explicit, key} {
			w.configure = form
			w.runFor(3 * time.Hour)
			time.Sleep(time.Hour)
		}
		w.runFor(24 * time.Hour)
		w.requireExactlyOnce()
	})
}

func TestRefusedCredentialsAreNotCalledHealthy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := traffic(t)
		w.sim.RotateSecret(w.sub.Tenant)
		r, _, err := w.start()
		require.NoError(t, err)
		time.Sleep(10 * time.Minute)
		require.NoError(t, r.Shutdown(t.Context()))
		require.Empty(t, w.logs.FilterMessageSnippet("works again").All())
		require.Len(t, w.logs.FilterMessageSnippet("Reading the audit log failed").All(), 1)
	})
}
