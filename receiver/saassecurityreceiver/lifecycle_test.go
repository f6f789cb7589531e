// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

func TestShutdownWaitsForTheReadInFlight(t *testing.T) {
	bubble(t, func(t *testing.T) {
		// A server that does not notice who leaves: giving the read up would lose what it is answered with.
		w := newWorld(t, saassecurity.Options{LongPoll: 20 * time.Second, Deaf: true, Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Delay: 7 * time.Second}}}})
		l := w.mustStart()
		time.Sleep(5 * time.Second)
		start := time.Now()
		go func() {
			time.Sleep(10 * time.Second)
			w.sim.Enqueue(100) // answers the read that is waiting
		}()
		l.stop(t)
		require.Equal(t, 17*time.Second, time.Since(start))
		require.Len(t, w.sim.Ledger().Reads, 1)
		require.Zero(t, w.sink.events(), "delivery can wait for the next start")

		w.sim.ClearRules()
		w.runFor(time.Minute)
		w.requireDelivered(upTo(100))
		require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))
	})
}

func TestShutdownHonoursItsDeadline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Delay: 50 * time.Second}}}})
		w.sim.Enqueue(100)
		l := w.mustStart()
		time.Sleep(5 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start := time.Now()
		require.ErrorContains(t, l.Shutdown(ctx), "before reads were answered")
		require.Less(t, time.Since(start), 5*time.Second)
		require.Equal(t, 1, w.metricAfterShutdown(t, "given_up"))
		require.Empty(t, l.storage.Open())

		w.sim.ClearRules()
		w.sim.Enqueue(5)
		w.runFor(time.Minute)
		require.Equal(t, 5, w.sink.events())
		require.Equal(t, 1, w.metricAfterShutdown(t, "given_up"), "it is not counted again as an unclean stop")
		require.Zero(t, w.metricAfterShutdown(t, "unclean_stop"))
	})
}

func (w *world) metricAfterShutdown(t *testing.T, reason string) int {
	t.Helper()
	return w.metric("saas_security_reads_unknown_outcome", "reason", reason)
}

func TestReadThatHangsEndsWithItsTimeout(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Rules: []saassecurity.Rule{{Fault: saassecurity.Fault{Delay: time.Hour}}}})
		w.sim.Enqueue(1)
		l := w.mustStart()
		time.Sleep(5 * time.Second)
		start := time.Now()
		l.stop(t)
		require.Equal(t, defaultTimeout-5*time.Second, time.Since(start))
		require.Equal(t, 1, w.metricAfterShutdown(t, "timeout"))
	})
}

// A server that holds a read for longer than the timeout, and does not notice that the client has left, gives events to nobody.
func TestReadThatEndsWithItsTimeoutWhileItWaitsIsCounted(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{LongPoll: 2 * time.Minute, Deaf: true})
		l := w.mustStart()
		time.Sleep(defaultTimeout + minPause/2) // before the next read, whatever the jitter: only the one that was given up is open
		synctest.Wait()
		w.sim.Enqueue(100)
		time.Sleep(time.Second)
		require.Equal(t, 1, w.sim.Ledger().Outcomes()[saassecurity.OutcomeBroken], "the events went to the read that was given up")
		require.Zero(t, w.sink.events())
		require.Equal(t, 1, w.metricAfterShutdown(t, "timeout"))
		l.stop(t)
		time.Sleep(2 * time.Minute) // until the server gives the last read up
	})
}

func TestCleanRestartRepeatsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 30 * time.Millisecond})
		w.sink.do(func(context.Context, plog.Logs) error { // slow, and with Shutdown in the middle of its calls
			time.Sleep(300 * time.Millisecond)
			return nil
		})
		for range 10 {
			w.sim.Enqueue(400)
			w.runFor(440 * time.Millisecond)
		}
		w.runFor(time.Minute)
		w.requireDelivered(upTo(4000))
		require.Zero(t, w.metric("saas_security_reads_unknown_outcome"))
	})
}

func TestShutdownDoesNotWaitForAConsumerThatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{})
		w.sink.do(func(ctx context.Context, _ plog.Logs) error {
			<-ctx.Done()
			return ctx.Err()
		})
		w.sim.Enqueue(10)
		l := w.mustStart()
		time.Sleep(time.Second)
		start := time.Now()
		l.stop(t)
		require.Equal(t, consumeGrace, time.Since(start))
		w.sink.do(nil)
		w.runFor(time.Second)
		w.requireDelivered(upTo(10))
	})
}

func TestWithoutStorageTheSpoolIsDrainedAtShutdown(t *testing.T) {
	inMemory := func(cfg *Config) { cfg.StorageID = nil }
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Latency: 10 * time.Millisecond}, inMemory)
		w.sink.do(func(context.Context, plog.Logs) error {
			time.Sleep(100 * time.Millisecond)
			return nil
		})
		w.sim.Enqueue(5000)
		l := w.mustStart()
		time.Sleep(500 * time.Millisecond)
		require.NoError(t, l.Shutdown(t.Context()))
		require.Equal(t, 5000-w.sim.Ledger().Queued, w.sink.events(), "everything that was read")
		require.Contains(t, w.messages(zapcore.WarnLevel)[0], "the spool is in memory")
	})
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{}, inMemory)
		w.sink.refuse(errDown)
		w.sim.Enqueue(100)
		l := w.mustStart()
		time.Sleep(500 * time.Millisecond)
		start := time.Now()
		require.NoError(t, l.Shutdown(t.Context()))
		require.Equal(t, consumeGrace, time.Since(start))
		require.Contains(t, w.messages(zapcore.ErrorLevel)[0], "The spool is in memory and not empty: its events are lost")
	})
}

func TestStartNeitherFailsNorReadsWhenTheAPIOrTheCredentialsAreBad(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*world)
		status string
	}{
		"token service down": {func(w *world) {
			w.sim.AddRules(saassecurity.Rule{On: saassecurity.Token, Fault: saassecurity.Fault{Status: 503}})
		}, "the server failed"},
		"wrong secret": {func(w *world) { w.sim.ResetSecret(false) }, "refused the credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				w := newWorld(t, saassecurity.Options{})
				tt.change(w)
				w.sim.Enqueue(10)
				l := w.mustStart()
				time.Sleep(5 * time.Minute)
				require.Empty(t, w.sim.Ledger().Reads)
				require.Contains(t, l.host.troubles(), tt.status)
				require.Positive(t, w.metric("saas_security_token_refreshes", "outcome", "failed"))
				require.Zero(t, w.metric("saas_security_reads"))
				for _, line := range w.messages(zapcore.DebugLevel) {
					require.NotContains(t, line, saassecurity.DefaultClientSecret)
				}
				l.stop(t)
			})
		})
	}
}

func TestResetSecretIsPickedUpFromItsFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(path, []byte(saassecurity.DefaultClientSecret+"\n"), 0o600))
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.ClientSecret, cfg.ClientSecretFile = "", path })
		w.sim.Enqueue(10)
		l := w.mustStart()
		time.Sleep(time.Minute)
		w.requireDelivered(upTo(10))

		secret := w.sim.ResetSecret(true)
		w.sim.Enqueue(10)
		time.Sleep(10 * time.Minute)
		require.Contains(t, l.host.troubles(), "refused the credentials")
		require.NoError(t, os.WriteFile(path, []byte(secret+"\n"), 0o600))
		time.Sleep(90 * time.Second)
		w.requireDelivered(upTo(20))
		require.Empty(t, l.host.troubles())
		l.stop(t)
		require.Empty(t, w.sim.Ledger().Misplaced)
	})
}

func TestTLSWithoutVerificationWarns(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{}, func(cfg *Config) { cfg.ClientConfig.TLS.InsecureSkipVerify = true })
		w.runFor(time.Second)
		require.Contains(t, w.messages(zapcore.WarnLevel)[0], "tls.insecure_skip_verify is set")
	})
}

// Whoever reads logs, health pages, metrics, traces or the disk learns no secret, whatever goes wrong; the spool alone holds
// events.
func TestSecretNeverShows(t *testing.T) {
	bubble(t, func(t *testing.T) {
		w := newWorld(t, saassecurity.Options{Rules: saassecurity.Mix(0.05), Latency: time.Second}, func(cfg *Config) {
			cfg.ClientConfig.Headers.Set("x-api-key", configopaque.String("header-canary"))
		})
		core, logs := observer.New(zapcore.DebugLevel)
		w.logs, w.logger = logs, zap.New(core)
		w.sink.refuse(errDown) // what a status tells of
		w.sim.Enqueue(5000)
		l := w.mustStart()
		time.Sleep(time.Minute)
		w.sink.do(nil)
		time.Sleep(time.Hour / 2)
		l.stop(t)
		seen := w.publicised(t, l)
		for _, place := range []string{"log", "status", "storage", "metrics", "spans"} {
			require.NotEmpty(t, seen[place], "%s is looked at", place)
		}
		for place, text := range seen {
			for _, secret := range []string{
				saassecurity.DefaultClientSecret, url.QueryEscape(saassecurity.DefaultClientSecret), "header-canary", "Bearer ", "eyJ",
			} {
				require.NotContains(t, text, secret, place)
			}
			if place != "storage" {
				require.NotContains(t, text, "evt-0", place)
			}
		}
	})
}

// publicised is everything that somebody else can see of a receiver.
func (w *world) publicised(t *testing.T, l *life) map[string]string {
	t.Helper()
	seen := observed.Places(t, w.logs, w.disk, w.telemetry)
	for _, event := range l.host.status {
		seen["status"] += fmt.Sprintln(event.Status(), event.Err())
	}
	return seen
}
