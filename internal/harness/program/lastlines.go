// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package program

import (
	"io"
	"os"
	"strings"
)

// lastBytes is how much of the end of a file LastLines looks at.
const lastBytes = 64 << 10

// LastLines gives the last n lines of a text file, as far as they are within its last 64 KiB. It shows what a program
// said before it failed, so a file that cannot be read is no error: there is nothing to show.
func LastLines(path string, n int) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }() // only read
	// Of a file that is shorter there is no such place; it is read from its beginning.
	_, _ = file.Seek(-lastBytes, io.SeekEnd)
	text, err := io.ReadAll(file)
	if err != nil {
		return nil
	}
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	if len(lines) == 1 && lines[0] == "" {
		return nil
	}
	return lines[max(0, len(lines)-n):]
}
