// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

// mostSimilar returns the candidate that differs from key in the fewest
// letters, or "" when even that one differs in more than a third of them (and
// in more than two, as two swapped letters are two differences).
func mostSimilar(key string, candidates []string) string {
	best, bestDistance := "", max(len(key)/3, 2)+1
	for _, candidate := range candidates {
		if d := distance(key, candidate); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// distance is the number of letters that have to be added, removed or replaced
// to make b out of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
