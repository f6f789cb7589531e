// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRecordIsTheSameHoweverOftenItIsRead(t *testing.T) {
	const n = 700
	read := func(sim *Simulator, form MessageForm, ordinals []uint32) [][]byte {
		return sim.mustTenant(sim.Subaccount(0).Tenant).rows(ordinals, form)
	}
	fresh := func() *Simulator {
		sim := New(Options{Seed: 5, Now: func() time.Time { return noon }})
		sim.Generate(sim.Subaccount(0).Tenant, n, noon.Add(-time.Hour), noon)
		return sim
	}
	all := make([]uint32, n)
	for i := range all {
		all[i] = uint32(i)
	}
	some := slices.Clone(all[100:300])
	slices.Reverse(some)
	kept := fresh()
	for _, form := range []MessageForm{MessageString, MessageObject, MessageMixed, MessageString} {
		want := read(fresh(), form, all)
		read(kept, form, some)
		require.Equal(t, want, read(kept, form, all))
		require.Equal(t, want, read(kept, form, all))
	}
	require.Positive(t, kept.mustTenant(kept.Subaccount(0).Tenant).written.bytes)
}

func TestWhatIsKeptOfRecordsIsBounded(t *testing.T) {
	var w written
	for o := range uint32(100) {
		w.keep(o, o%2 == 0, make([]byte, maxWritten/10))
		require.LessOrEqual(t, w.bytes, maxWritten)
		require.NotNil(t, w.find(o, o%2 == 0))
		require.Nil(t, w.find(o, o%2 != 0))
	}
	require.LessOrEqual(t, len(w.rows), 10)
}
