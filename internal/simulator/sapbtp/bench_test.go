// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"testing"
	"time"
)

func BenchmarkPage(b *testing.B) {
	sim := New(Options{Now: at(noon)})
	t := sim.tenants[0]
	sim.Generate(t.id, pageSize, noon.Add(-time.Hour), noon)
	ordinals := make([]uint32, pageSize)
	for i := range ordinals {
		ordinals[i] = uint32(i)
	}
	b.ReportAllocs()
	size := 0
	for b.Loop() {
		size = 0
		for _, row := range t.rows(ordinals, MessageString) {
			size += len(row)
		}
	}
	b.SetBytes(int64(size))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/pageSize, "ns/record")
}

func BenchmarkGenerate(b *testing.B) {
	sim := New(Options{Now: at(noon)})
	b.ReportAllocs()
	for b.Loop() {
		sim.Generate(sim.tenants[0].id, 1000, noon.Add(-time.Hour), noon)
	}
}
