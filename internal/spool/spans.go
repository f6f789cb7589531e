// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import "slices"

// spans is a set of sequence numbers as sorted, disjoint ranges, each from its first number to before its second.
type spans [][2]uint64

// with returns the set with the numbers from the first to before the second.
func (s spans) with(from, to uint64) spans {
	if from >= to {
		return s
	}
	start, _ := slices.BinarySearchFunc(s, from, func(r [2]uint64, n uint64) int {
		if r[1] < n {
			return -1
		}
		return 1
	})
	end := start
	for ; end < len(s) && s[end][0] <= to; end++ {
		from, to = min(from, s[end][0]), max(to, s[end][1])
	}
	return slices.Concat(s[:start], spans{{from, to}}, s[end:])
}

// above returns the set without the numbers below first.
func (s spans) above(first uint64) spans {
	var kept spans
	for _, r := range s {
		if r[1] > first {
			kept = append(kept, [2]uint64{max(r[0], first), r[1]})
		}
	}
	return kept
}

// gaps returns which numbers from the first to before the second are not in the set.
func (s spans) gaps(from, to uint64) spans {
	var missing spans
	for _, r := range s.above(from) {
		if from < min(r[0], to) {
			missing = append(missing, [2]uint64{from, min(r[0], to)})
		}
		from = max(from, r[1])
	}
	if from < to {
		missing = append(missing, [2]uint64{from, to})
	}
	return missing
}

func (s spans) size() int {
	n := uint64(0)
	for _, r := range s {
		n += r[1] - r[0]
	}
	return int(n)
}
