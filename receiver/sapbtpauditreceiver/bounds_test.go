// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-audit/otelcol-audit/internal/httpcall"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

// An answer of a megabyte that becomes a gigabyte costs no more memory than the limit of an answer allows.
func TestABombOfAGigabyteStaysWithinBounds(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(20)) // so that garbage does not count
	const member, members = 16 << 20, 64
	var small bytes.Buffer
	zip := gzip.NewWriter(&small)
	_, err := zip.Write(bytes.Repeat([]byte(" "), member))
	require.NoError(t, err)
	require.NoError(t, zip.Close())
	bomb := bytes.Repeat(small.Bytes(), members) // a gzip file may have several members

	var bombs atomic.Int64
	w := realWorld(t, sapbtp.StartOptions{Handler: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(resp http.ResponseWriter, req *http.Request) {
			if !strings.HasSuffix(req.URL.Path, "/auditlogrecords") || bombs.Add(1) > 2 {
				next.ServeHTTP(resp, req)
				return
			}
			resp.Header().Set("Content-Encoding", "gzip")
			_, _ = resp.Write(bomb) // the client goes away before the end
		})
	}}, func(c *Config) { c.Concurrency = 1 })
	w.sim.Generate(w.sub.Tenant, 1000, time.Now().Add(-6*time.Hour), time.Now())

	before := heap()
	var peak uint64
	var watching sync.WaitGroup
	stop := make(chan struct{})
	watching.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				peak = max(peak, heap())
			}
		}
	})
	_, err = w.startOn(fileStorage(t))
	require.NoError(t, err)
	w.requireEventually(func() bool { return w.sink.total() >= 1000 }, "what comes after the bombs is read")
	close(stop)
	watching.Wait()
	w.requireExactlyOnce()
	require.Positive(t, w.sums(t, "otelcol_sap_btp_audit_window_restarts", "reason")["oversized"])
	// Reading into a growing buffer holds the old one beside the new one, and leaves older ones to be collected.
	require.Less(t, float64(peak)-float64(before), 10.0*httpcall.DefaultMaxBody, "bytes of heap")
}

func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
