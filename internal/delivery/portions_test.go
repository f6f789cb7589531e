// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

var (
	errExhausted = consumererror.NewPermanent(status.Error(codes.ResourceExhausted, "received message larger than max"))
	errHTTP413   = consumererror.NewPermanent(status.Error(codes.Unknown, "responded with HTTP Status Code 413"))
	errMaxSize   = errors.New("one log record size is greater than max size, dropping items: 3")
)

// atMost refuses what has more records or bytes.
func atMost(most size, err error) func(plog.Logs) error {
	return func(logs plog.Logs) error {
		if !sizeOf(logs).within(most) {
			return err
		}
		return nil
	}
}

// large returns n records of about so many bytes.
func large(n, bytes int) plog.Logs {
	logs := makeLogs(n)
	for record := range records(logs) {
		record.Body().SetStr(string(make([]byte, bytes)))
	}
	return logs
}

func TestWhatIsTooLargeIsTakenApartAtOnceAndTheSizeThatPassesIsRemembered(t *testing.T) {
	const pages = 50
	unlimited := 1 << 40
	tests := []struct {
		name   string
		err    error
		most   size
		within time.Duration
	}{
		{"records, HTTP 413", errHTTP413, size{400, unlimited}, 0},
		{"bytes, HTTP 413", errHTTP413, size{unlimited, 100_000}, 0},
		{"bytes, gRPC", errExhausted, size{unlimited, 100_000}, 0},
		{"bytes, gRPC, for now", status.Error(codes.ResourceExhausted, "larger than max"), size{unlimited, 100_000}, 0},
		{"few bytes", errHTTP413, size{unlimited, 2000}, 0},
		{"one record", errHTTP413, size{1, unlimited}, 0},
		{"unnamed", errPermanent, size{400, unlimited}, 30 * time.Second},
		{"unnamed, for now", errTransient, size{400, unlimited}, 140 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				r := newRig(t, atMost(tt.most, tt.err))
				logs := large(500, 1000)
				start := time.Now()
				for range pages {
					require.NoError(t, r.Deliver(t.Context(), logs))
				}
				require.LessOrEqual(t, time.Since(start), tt.within)
				require.Len(t, r.backend.accepted, pages*500)
				refused := 0
				for _, n := range r.backend.sizes {
					refused += n
				}
				refused -= pages * 500
				require.Less(t, refused, pages*500/3, "few are offered in vain")
				require.Zero(t, r.store.Len())
			})
		})
	}
}

func TestSizeGrowsAgainWhenTheBackendTakesMore(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		most := size{100, 1 << 40}
		r := newRig(t, func(logs plog.Logs) error { return atMost(most, errHTTP413)(logs) })
		for range 5 {
			require.NoError(t, r.Deliver(t.Context(), makeLogs(500)))
		}
		most.records = 1000
		for range 40 {
			require.NoError(t, r.Deliver(t.Context(), makeLogs(500)))
		}
		last := r.backend.sizes[len(r.backend.sizes)-1]
		require.Equal(t, 500, last, "a whole page at a time again")
		most.records = 50
		for range 5 {
			require.NoError(t, r.Deliver(t.Context(), makeLogs(500)))
		}
		require.Len(t, r.backend.accepted, 50*500)
	})
}

// The same code tells of a message that is too large and of too many requests.
func TestThrottlingIsAnsweredWithPauses(t *testing.T) {
	for name, err := range map[string]error{
		"for now": status.Error(codes.ResourceExhausted, "too many requests"), "permanent": errExhausted,
	} {
		t.Run(name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				start := time.Now()
				r := newRig(t, func(plog.Logs) error {
					if time.Since(start) < time.Hour {
						return err
					}
					return nil
				})
				logs := makeLogs(500)
				require.NoError(t, r.insist(t.Context(), logs))
				r.requireOnce(t, 500, logs)
				require.Less(t, r.backend.calls, 220, "an hour of pauses, taken apart a few times")
			})
		})
	}
	virtualtime.Test(t, func(t *testing.T) { // one request a second
		var last time.Time
		r := newRig(t, func(plog.Logs) error {
			if time.Since(last) < time.Second {
				return errExhausted
			}
			last = time.Now()
			return nil
		})
		start := time.Now()
		for range 30 {
			require.NoError(t, r.insist(t.Context(), makeLogs(100)))
		}
		require.Zero(t, r.store.Len())
		require.Less(t, time.Since(start), time.Hour)
	})
}

// An exporter that batches by bytes delivers the records before one that exceeds its max_size at every try.
func TestRecordAboveAnExportersMaxSizeRepeatsLittle(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		delivered := map[string]int{}
		r := newRig(t, func(logs plog.Logs) error {
			for record := range records(logs) {
				if uidOf(record) == "60" {
					return errMaxSize
				}
				delivered[uidOf(record)]++
			}
			return nil
		})
		require.NoError(t, r.insist(t.Context(), makeLogs(100)))
		require.Equal(t, 1, r.store.Len())
		for uid, n := range delivered {
			if len(uid) <= 2 {
				require.LessOrEqual(t, n, 7, "record %s", uid)
			}
		}
	})
}

func TestSizeOfRefusalsByChanceIsNotLearned(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, badNode(0.5, errPermanent, never), func(s *Settings) { s.Jitter = rand.Float64 })
		for range 300 {
			require.NoError(t, r.insist(t.Context(), makeLogs(100)))
		}
		mean := 0
		for _, n := range r.backend.sizes[len(r.backend.sizes)-500:] {
			mean += n
		}
		require.Greater(t, mean/500, 20, "pages are still offered in large portions")
	})
}

func TestPoisonTeachesNoSize(t *testing.T) {
	for position := range 16 {
		virtualtime.Test(t, func(t *testing.T) {
			r := newRig(t, func(logs plog.Logs) error {
				if has(logs, strconv.Itoa(position)) {
					return errHTTP413 // this record alone is too large
				}
				return nil
			})
			require.ErrorIs(t, r.Deliver(t.Context(), makeLogs(16)), ErrRefusedAlone)
			require.Len(t, r.backend.accepted, 15)
			require.Zero(t, r.portions.limit())
		})
	}
}
