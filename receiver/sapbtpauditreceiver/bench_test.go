// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/open-telemetry/opentelemetry-collector-contrib/extension/storage/filestorage"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/metadata"
)

const (
	benchEvents = 20_000
	benchSpan   = 20 * time.Hour
)

// BenchmarkReceive reads a backfill end to end: from the simulator, without sockets and without a rate limit, through the
// receiver to a consumer that counts. The simulator writes each record anew, on the same cores; BenchmarkFloor tells its
// share.
func BenchmarkReceive(b *testing.B) {
	for _, bench := range []struct {
		name string
		host func(*testing.B) component.Host
	}{
		{"memory", func(*testing.B) component.Host { return componenttest.NewNopHost() }},
		{"file_storage", func(b *testing.B) component.Host {
			b.Helper()
			return fileStorage(b, func(c *filestorage.Config) { c.FSync = false })
		}},
		{"file_storage_fsync", func(b *testing.B) component.Host { b.Helper(); return fileStorage(b) }},
	} {
		b.Run(bench.name, func(b *testing.B) {
			sim := benchSimulator()
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				host := bench.host(b)
				counter := newCounter(benchEvents)
				r := benchReceiver(b, sim, counter, bench.name != "memory")
				b.StartTimer()
				require.NoError(b, r.Start(b.Context(), host))
				<-counter.all
				b.StopTimer()
				require.NoError(b, r.Shutdown(context.Background()))
				require.EqualValues(b, benchEvents, counter.n.Load())
				b.StartTimer()
			}
			reportEvents(b)
		})
	}
}

// BenchmarkFloor is the same without any parsing: the same pages are fetched, and for each of them logs of the same shape
// are made and handed to the same consumer. No receiver can be faster.
func BenchmarkFloor(b *testing.B) {
	sim := benchSimulator()
	client := &http.Client{Transport: sim.Transport()}
	token := benchToken(b, client, sim.Subaccount(0))
	page := benchPage(b, sim)
	b.ReportAllocs()
	for b.Loop() {
		counter := newCounter(benchEvents)
		for handle := ""; ; {
			query := url.Values{"time_from": {time.Now().Add(-2 * benchSpan).UTC().Format("2006-01-02T15:04:05")}}
			if handle != "" {
				query.Set("handle", handle)
			}
			status, next := benchGet(b, client, sim.Subaccount(0).Endpoint+"/auditlog/v2/auditlogrecords?"+query.Encode(), token)
			if status == http.StatusNoContent {
				break
			}
			logs := plog.NewLogs()
			page.CopyTo(logs)
			require.NoError(b, counter.ConsumeLogs(b.Context(), logs))
			if handle = next; handle == "" {
				break
			}
		}
		require.EqualValues(b, benchEvents, counter.n.Load())
	}
	reportEvents(b)
}

func reportEvents(b *testing.B) {
	b.Helper()
	events := float64(b.N) * benchEvents
	b.ReportMetric(events/b.Elapsed().Seconds(), "events/s")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/events, "ns/event")
}

func benchSimulator() *sapbtp.Simulator {
	sim := sapbtp.New(sapbtp.Options{Seed: 111})
	now := time.Now()
	sim.Generate(sim.Subaccount(0).Tenant, benchEvents, now.Add(-benchSpan), now.Add(-time.Minute))
	return sim
}

func benchReceiver(b *testing.B, sim *sapbtp.Simulator, next consumer.Logs, stored bool) *auditReceiver {
	b.Helper()
	cfg := createDefaultConfig().(*Config)
	point(cfg, sim.Subaccount(0))
	cfg.InitialLookback = 24 * time.Hour
	cfg.RequestsPerSecond = 1e9
	if stored {
		cfg.StorageID = &fileStorageID
	}
	set := receivertest.NewNopSettings(metadata.Type)
	set.ID = component.NewID(metadata.Type)
	r, err := newAuditReceiver(set, cfg, next)
	require.NoError(b, err)
	r.transport = sim.Transport()
	return r
}

// counter is a consumer that tells when it has got everything.
type counter struct {
	n    atomic.Int64
	want int64
	all  chan struct{}
}

func newCounter(want int64) *counter { return &counter{want: want, all: make(chan struct{})} }

func (*counter) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (c *counter) ConsumeLogs(_ context.Context, logs plog.Logs) error {
	n := int64(logs.LogRecordCount())
	if total := c.n.Add(n); total >= c.want && total-n < c.want {
		close(c.all)
	}
	return nil
}

func benchToken(b *testing.B, client *http.Client, sub sapbtp.Subaccount) string {
	b.Helper()
	resp, err := client.PostForm(sub.TokenURL+"/oauth/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {sub.ClientID}, "client_secret": {sub.ClientSecret},
	})
	require.NoError(b, err)
	defer func() { require.NoError(b, resp.Body.Close()) }()
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	require.NoError(b, json.NewDecoder(resp.Body).Decode(&answer))
	return answer.AccessToken
}

// benchGet reads an answer to its end, as the receiver does, and gives its status and the handle of the next page.
func benchGet(b *testing.B, client *http.Client, target, token string) (status int, next string) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, target, http.NoBody)
	require.NoError(b, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	require.NoError(b, err)
	defer func() { require.NoError(b, resp.Body.Close()) }()
	_, err = io.ReadAll(resp.Body)
	require.NoError(b, err)
	return resp.StatusCode, strings.TrimPrefix(resp.Header.Get("Paging"), "handle=")
}

// benchPage is the first page of logs that the receiver makes.
func benchPage(b *testing.B, sim *sapbtp.Simulator) plog.Logs {
	b.Helper()
	first := newSink()
	first.keep = true
	r := benchReceiver(b, sim, first, false)
	require.NoError(b, r.Start(b.Context(), componenttest.NewNopHost()))
	require.Eventually(b, func() bool { return first.total() > 0 }, time.Minute, time.Millisecond)
	require.NoError(b, r.Shutdown(context.Background()))
	return first.logs[0]
}
