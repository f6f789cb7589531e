// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver/receivertest"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
)

func TestOnlyWhatWasDroppedIsKeptFromTheChecker(t *testing.T) {
	var answer error
	var got []string
	checker, err := consumer.NewLogs(func(_ context.Context, logs plog.Logs) error {
		got = []string{}
		for _, record := range observed.Records(logs) {
			id, known := record.Attributes().Get(receivertest.UniqueIDAttrName)
			require.True(t, known)
			got = append(got, id.Str())
		}
		return answer
	})
	require.NoError(t, err)
	judge := Judge(checker, "key")
	transient, permanent := errors.New("try again"), consumererror.NewPermanent(errors.New("never"))
	for _, call := range []struct {
		offered []string
		answer  error
		passed  []string
	}{
		{[]string{"a", "b"}, nil, []string{"a", "b"}},
		{[]string{"a"}, transient, []string{"a"}}, // what was accepted comes again, for the checker to object to
		{[]string{"a", "c"}, transient, []string{"a", "c"}},
		{[]string{"c"}, permanent, []string{"c"}},
		{[]string{"c", "d"}, nil, []string{"d"}},
		{[]string{"c"}, nil, nil},
	} {
		answer, got = call.answer, nil
		logs := plog.NewLogs()
		for _, id := range call.offered {
			logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Attributes().PutStr("key", id)
		}
		require.Equal(t, call.answer, judge.ConsumeLogs(t.Context(), logs))
		require.Equal(t, call.passed, got)
	}
}
