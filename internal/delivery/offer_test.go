// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/virtualtime"
)

// only returns the records with the given uids.
func only(logs plog.Logs, wanted ...string) plog.Logs {
	return pick(logs, func(record plog.LogRecord) bool { return slices.Contains(wanted, uidOf(record)) })
}

func TestOnlyWhatFailedIsRetried(t *testing.T) {
	tests := []struct {
		name string
		err  func(logs plog.Logs) error
		want []string // what is offered again
	}{
		{"partial", func(logs plog.Logs) error { return consumererror.NewLogs(errTransient, only(logs, "2", "7")) }, []string{"2", "7"}},
		{"partial and permanent", func(logs plog.Logs) error { return consumererror.NewLogs(errPermanent, only(logs, "2", "7")) }, []string{"2", "7"}},
		{"wrapped partial", func(logs plog.Logs) error {
			return errors.Join(consumererror.NewPermanent(consumererror.NewLogs(errTransient, only(logs, "0"))))
		}, []string{"0"}},
		{"nothing named", func(plog.Logs) error { return consumererror.NewLogs(errTransient, plog.NewLogs()) }, numbers(0, 8)},
		{"everything named", func(logs plog.Logs) error { return consumererror.NewLogs(errTransient, logs) }, numbers(0, 8)},
		{"more than there is", func(plog.Logs) error { return consumererror.NewLogs(errTransient, makeLogs(9)) }, numbers(0, 8)},
		{"one of several consumers", func(logs plog.Logs) error {
			return errors.Join(consumererror.NewLogs(errTransient, only(logs, "2")), errTransient)
		}, numbers(0, 8)},
		{"several consumers, wrapped", func(logs plog.Logs) error {
			return consumererror.NewPermanent(errors.Join(errTransient, consumererror.NewLogs(errTransient, only(logs, "2"))))
		}, numbers(0, 8)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				var again []string
				r := newRig(t, func(logs plog.Logs) error {
					if logs.LogRecordCount() == 8 && again == nil {
						again = []string{}
						return tt.err(logs)
					}
					again = uids(logs)
					return nil
				})
				require.NoError(t, r.Deliver(t.Context(), makeLogs(8)))
				require.Equal(t, tt.want, again)
				require.Equal(t, 2, r.backend.calls)
				require.Equal(t, int64(8), r.accepted.Load())
			})
		})
	}
}

// mutate does to logs what a transform processor may do.
func mutate(logs plog.Logs) {
	for record := range records(logs) {
		record.Body().SetStr("seen, " + record.Body().Str())
	}
}

// requireSeenOnce checks that each record went through mutate exactly once.
func requireSeenOnce(t *testing.T, delivered plog.Logs, n int) {
	t.Helper()
	delivered = pick(delivered, func(record plog.LogRecord) bool { return !strings.HasPrefix(uidOf(record), otherCall) })
	require.ElementsMatch(t, numbers(0, n), uids(delivered))
	for record := range records(delivered) {
		require.Equal(t, "seen, body "+uidOf(record), record.Body().Str())
	}
}

func TestMutatingConsumerNeverSpoilsARetry(t *testing.T) {
	tests := []struct {
		name string
		err  func(mutated plog.Logs) (failed plog.Logs, err error)
	}{
		{"refused as a whole", func(mutated plog.Logs) (plog.Logs, error) { return mutated, errTransient }},
		{"refused in part", func(mutated plog.Logs) (plog.Logs, error) {
			failed := only(mutated, "1", "4")
			return failed, consumererror.NewLogs(errTransient, failed)
		}},
		{"refused in part, permanently", func(mutated plog.Logs) (plog.Logs, error) {
			failed := only(mutated, "0", "1", "2")
			return failed, consumererror.NewPermanent(consumererror.NewLogs(errTransient, failed))
		}},
		{"emptied", func(mutated plog.Logs) (plog.Logs, error) {
			all := plog.NewLogs()
			mutated.CopyTo(all)
			mutated.ResourceLogs().RemoveIf(func(plog.ResourceLogs) bool { return true })
			return all, errTransient
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			virtualtime.Test(t, func(t *testing.T) {
				delivered := plog.NewLogs()
				refusals := 5
				r := newRig(t, func(logs plog.Logs) error {
					mutate(logs)
					if refusals--; refusals < 0 {
						logs.ResourceLogs().MoveAndAppendTo(delivered.ResourceLogs())
						return nil
					}
					before := uids(logs)
					failed, err := tt.err(logs)
					logs = pick(logs, func(record plog.LogRecord) bool { return !has(failed, uidOf(record)) })
					if failed.LogRecordCount() < len(before) {
						logs.ResourceLogs().MoveAndAppendTo(delivered.ResourceLogs())
					}
					return err
				})
				r.mutates = true
				logs := makeLogs(6)
				require.NoError(t, r.insist(t.Context(), logs))
				requireSeenOnce(t, delivered, 6)
				require.Equal(t, makeLogs(6), logs, "the caller's data is untouched")
			})
		})
	}
}

func TestMutatingConsumerNeverSpoilsAQuarantineEntry(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		r := newRig(t, func(logs plog.Logs) error {
			mutate(logs)
			return refuseUIDs("3")(logs)
		})
		r.mutates = true
		logs := makeLogs(6)
		require.NoError(t, r.insist(t.Context(), logs))
		r.requireOnce(t, 6, makeLogs(6))
		require.Equal(t, []string{"3"}, r.quarantined(t, makeLogs(6)))
	})
}

func TestCapabilitiesDecideAboutCopies(t *testing.T) {
	require.True(t, newRig(t, nil, func(s *Settings) { s.Next = &backend{mutates: true} }).mutates)
	require.False(t, newRig(t, nil).mutates)
}

func TestSharedReadOnlyLogsAreNeverWritten(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		// A fan-out marks what it shares among consumers as read-only; writing to it would panic.
		r := newRig(t, func(logs plog.Logs) error {
			logs.MarkReadOnly()
			return refuseUIDs("0", "5")(logs)
		})
		logs := makeLogs(8)
		require.NoError(t, r.insist(t.Context(), logs))
		r.requireOnce(t, 8, logs)
		require.Len(t, r.quarantined(t, logs), 2)
	})
}

func TestFailedPartWithoutUIDsIsRetriedAsItIs(t *testing.T) {
	virtualtime.Test(t, func(t *testing.T) {
		var bodies []string
		r := newRig(t, func(logs plog.Logs) error {
			if logs.LogRecordCount() == 4 {
				failed := only(logs, "2", "3")
				for record := range records(failed) {
					record.Attributes().Clear()
				}
				return consumererror.NewLogs(errTransient, failed)
			}
			for record := range records(logs) {
				bodies = append(bodies, record.Body().Str())
			}
			return nil
		})
		require.NoError(t, r.Deliver(t.Context(), makeLogs(4)))
		require.Equal(t, []string{"body 2", "body 3"}, bodies)
	})
}

func TestRestoreCountsRecordsOfTheSameUID(t *testing.T) {
	twins := plog.NewLogs()
	list := twins.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for _, uid := range []string{"a", "b", "a", "a"} {
		list.AppendEmpty().Attributes().PutStr(uidAttribute, uid)
	}
	require.Equal(t, []string{"a", "a"}, uids(restore(twins, only(pickFirst(twins, 3), "a"))))
	require.Empty(t, uids(restore(twins, single("c"))), "a record of another call")
}

func pickFirst(logs plog.Logs, n int) plog.Logs {
	return pick(logs, func(plog.LogRecord) bool {
		n--
		return n >= 0
	})
}

func TestPartsKeepResourcesScopesAndOrder(t *testing.T) {
	for n := 2; n <= 9; n++ {
		logs := makeLogs(n)
		first, second := halve(logs)
		require.Equal(t, numbers(0, n/2), uids(first))
		require.Equal(t, numbers(n/2, n), uids(second))
		merged := merge([]plog.Logs{first, second})
		require.Equal(t, numbers(0, n), uids(merged))
		for _, id := range numbers(0, n) {
			require.Equal(t, only(logs, id), only(merged, id))
		}
	}
}

func TestConsumerIsGivenTheContextOfTheCall(t *testing.T) {
	type key struct{}
	var got any
	next, err := consumer.NewLogs(func(ctx context.Context, _ plog.Logs) error {
		got = ctx.Value(key{})
		return nil
	})
	require.NoError(t, err)
	r := newRig(t, nil, func(s *Settings) { s.Next = next })
	require.NoError(t, r.Deliver(context.WithValue(t.Context(), key{}, "value"), makeLogs(1)))
	require.Equal(t, "value", got)
}
