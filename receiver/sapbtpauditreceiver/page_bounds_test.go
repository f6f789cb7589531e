// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/simulator/sapbtp"
)

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// repeated is an array of what element gives, as many as make the text about so long, and their number.
func repeated(size int, element func(i int) string) (text string, n int) {
	var b strings.Builder
	b.WriteByte('[')
	for ; b.Len() < size; n++ {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(element(n))
	}
	b.WriteByte(']')
	return b.String(), n
}

// A page is small as text and may be large as records: it is mapped, delivered and saved in parts.
func TestAPageThatSwellsIsDeliveredInParts(t *testing.T) {
	const size = 8 << 20
	always := func(text string) func(int) string { return func(int) string { return text } }
	zeros, _ := repeated(30_000, always("0"))
	at := time.Date(2026, 3, 1, 11, 0, 0, 0, time.UTC).Format("2006-01-02T15:04:05.000Z")
	for name, tc := range map[string]struct {
		size    int
		element func(i int) string
		refused bool // it has more records than a page can have, and its window is read again
	}{
		"numbers":       {size / 64, strconv.Itoa, false},
		"zeros":         {size, always("0"), true},
		"empty objects": {size, always("{}"), true},
		"lists of zeros": {size, func(i int) string {
			return fmt.Sprintf(`{"message_uuid":"u%d","time":%q,"list":%s}`, i, at, zeros)
		}, false},
		"lists of zeros in the message": {size, func(i int) string {
			return fmt.Sprintf(`{"message_uuid":"u%d","time":%q,"message":"{\"a\":%s}"}`, i, at, zeros)
		}, false},
		"many keys": {size, func(i int) string {
			return fmt.Sprintf(`{"message_uuid":"u%d","time":%q%s}`, i, at, strings.Repeat(`,"k":0`, 5_000))
		}, false},
		"deep nesting": {size, func(i int) string {
			return fmt.Sprintf(`{"message_uuid":"u%d","time":%q,"deep":%s%s}`, i, at, strings.Repeat("[", 9_000), strings.Repeat("]", 9_000))
		}, false},
	} {
		t.Run(name, func(t *testing.T) { // not beside others, for the heap
			defer debug.SetGCPercent(debug.SetGCPercent(20)) // so that garbage does not count
			virtually(t, func(t *testing.T) {
				page, n := repeated(tc.size, tc.element)
				if tc.refused {
					n = 0
				}
				w := newWorld(t, sapbtp.Options{Seed: 177}, func(c *Config) { c.InitialLookback, c.Concurrency = 2*time.Hour, 1 })
				now := time.Now()
				w.sim.Generate(w.sub.Tenant, 200, now.Add(-90*time.Minute), now)
				next := w.transport
				var served atomic.Bool
				w.transport = roundTrip(func(req *http.Request) (*http.Response, error) {
					resp, err := next.RoundTrip(req)
					if err == nil && resp.StatusCode == http.StatusOK && req.Method == http.MethodGet && served.CompareAndSwap(false, true) {
						_ = resp.Body.Close()
						resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(page)), int64(len(page))
						resp.Header.Del("Content-Length")
					}
					return resp, err
				})
				runtime.GC()
				before := heap()
				var peak uint64
				var total int
				w.sink.accept = func(logs plog.Logs) error {
					peak = max(peak, heap())
					assert.LessOrEqual(t, logs.LogRecordCount(), partRecords)
					total += logs.LogRecordCount()
					return nil
				}
				w.runFor(2 * time.Hour)
				require.True(t, served.Load())
				require.Equal(t, n, total-w.sim.Ledger().Count())
				require.Empty(t, w.sim.Ledger().Missing(w.sink.delivered()), "the real ones of the same window are read, too")
				t.Logf("%d MB", (peak-min(before, peak))>>20)
				require.Less(t, float64(peak)-float64(before), 80e6, "bytes of heap")
			})
		})
	}
}
