// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package otlplines

import (
	"bytes"
	"fmt"

	"go.opentelemetry.io/collector/pdata/plog"
)

// begin is how each batch begins. It cannot occur within one: inside of a text its quotation marks are escaped.
var begin = []byte(`{"resourceLogs":`)

// lines takes whole lines off the pending bytes, of which those before start hold no end of a line.
func (f *Follower) lines(start int, each func(plog.Logs)) error {
	done := 0
	for {
		end := bytes.IndexByte(f.pending[start:], '\n')
		if end < 0 {
			break
		}
		line := f.pending[done : start+end]
		start += end + 1
		done = start
		if err := f.line(line, each); err != nil {
			return err
		}
	}
	f.pending = append(f.pending[:0], f.pending[done:]...)
	return nil
}

// line reads a line. After a kill it may be several batches: whatever the killed Collector had written of one, all of it
// without the end of the line or less, and then what the next Collector wrote.
func (f *Follower) line(line []byte, each func(plog.Logs)) error {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil // the end of a line whose batch was read before it had one
	}
	for len(line) > 0 {
		next := bytes.Index(line[1:], begin) + 1
		if next == 0 {
			next = len(line)
		}
		batch := line[:next]
		line = line[next:]
		logs, err := decode(batch)
		switch {
		case err == nil:
			each(logs)
		case len(line) > 0:
			f.torn++
		default:
			return fmt.Errorf("%s: a line is not OTLP JSON: %w", f.path, err)
		}
	}
	return nil
}

// unended reads a batch at the end of the file whose line has not ended: the Collector may have been killed just there. What
// does not parse waits for the rest.
func (f *Follower) unended(each func(plog.Logs)) error {
	if !bytes.HasSuffix(f.pending, []byte("]}")) {
		return nil
	}
	last := bytes.LastIndex(f.pending, begin)
	if last < 0 {
		return nil
	}
	if _, err := decode(f.pending[last:]); err != nil {
		return nil
	}
	line := f.pending
	f.pending = nil
	return f.line(line, each)
}

// tear gives up what is left of a file that nobody writes any more.
func (f *Follower) tear() {
	if len(f.pending) > 0 {
		f.torn++
		f.pending = f.pending[:0]
	}
}

func decode(batch []byte) (plog.Logs, error) {
	return (&plog.JSONUnmarshaler{}).UnmarshalLogs(batch)
}
