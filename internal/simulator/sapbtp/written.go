// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import "sync"

// written are records that were written before. A client reads each several times, and writing is most of what that costs here.
type written struct {
	mu    sync.Mutex
	rows  map[uint64][]byte
	bytes int
}

// maxWritten is how many bytes of them a subaccount keeps.
const maxWritten = 8 << 20

func (*written) key(ordinal uint32, asObject bool) uint64 {
	if asObject {
		return 1<<32 | uint64(ordinal)
	}
	return uint64(ordinal)
}

// find gives the text of a record, nil if it was not kept. It must not be changed.
func (w *written) find(ordinal uint32, asObject bool) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rows[w.key(ordinal, asObject)]
}

func (w *written) keep(ordinal uint32, asObject bool, row []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rows == nil || w.bytes+len(row) > maxWritten {
		w.rows, w.bytes = map[uint64][]byte{}, 0 // those read next are mostly those read last
	}
	w.rows[w.key(ordinal, asObject)] = row
	w.bytes += len(row)
}
