// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package seen

// Strays are events that a query has brought although their time lies outside it. Which other queries bring them nobody knows, so
// every view knows of them, and no progress makes them needless: the last few thousand are kept. They are in two buckets,
// of which one is filled; when it is full the other one is emptied.
const (
	strayBucket = -1 << 50 // and the next one; far from those of any time
	strayChunks = 8        // of each
)

func isStray(id int64) bool { return id == strayBucket || id == strayBucket+1 }

// strayFrom is the bucket that is being filled.
func strayFrom(index map[int64]entry) int64 {
	if index[strayBucket].Chunks >= strayChunks {
		return strayBucket + 1
	}
	return strayBucket
}

// emptied reports whether a bucket of strays has to make room, since the one that is being filled is full now.
func (st *Staged) emptied(id int64) bool {
	other := strayBucket + (strayBucket + 1 - id)
	return st.index[id].Chunks >= strayChunks && st.index[other].Chunks >= strayChunks && len(st.added[other]) > 0
}

// strays reports whether the query of the view has not asked for an event of this time (Unix seconds).
func (v *View) strays(second int64) bool { return second < v.span.From-1 || second > v.span.To }
