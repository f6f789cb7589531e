// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Journal is the ledger as a file of JSON lines, from which a later Simulator goes on: with all records, and what was
// asked and served. Generated records are not written one by one, but as the order to generate them.
type Journal struct {
	mu   sync.Mutex
	file *os.File
	err  error
}

// line is one line of a journal: the members besides op that its kind has.
type line struct {
	Op          string `json:"op"` // begin, generate, add, request
	Seed        uint64 `json:"seed,omitempty"`
	Subaccounts int    `json:"subaccounts,omitempty"`

	Tenant string     `json:"tenant,omitempty"`
	Count  int        `json:"count,omitempty"`
	From   *time.Time `json:"from,omitempty"`
	To     *time.Time `json:"to,omitempty"`
	Late   string     `json:"late,omitempty"`

	Producer string `json:"producer,omitempty"`
	At       int64  `json:"at,omitempty"`      // Unix milliseconds
	Visible  int64  `json:"visible,omitempty"` // Unix milliseconds
	ID       string `json:"id,omitempty"`
	Category string `json:"category,omitempty"`
	Body     []byte `json:"body,omitempty"`

	Request *Request `json:"request,omitempty"`
	Served  string   `json:"served,omitempty"` // ordinals, for instance "0-499,612"
	Leaks   []Leak   `json:"leaks,omitempty"`
}

// OpenJournal reads the journal at path, if there is one, and continues it. It must be called before the simulator has
// records or requests, with the seed and the number of subaccounts that the journal was begun with; another one, and a
// damaged journal, is an error. Only a last line that was not finished is forgiven.
func (s *Simulator) OpenJournal(path string) (*Journal, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &Journal{file: file}
	fresh, err := s.replay(file)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("journal %s: %w", path, err), file.Close())
	}
	s.journal.Store(j)
	if fresh {
		j.write(line{Op: "begin", Seed: s.seed, Subaccounts: len(s.tenants)})
	}
	return j, nil
}

// Close ends the journal and reports the first error of writing it.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return errors.Join(j.err, j.file.Close())
}

// write appends a line. A nil Journal keeps nothing. After an error it stays silent: a journal with a hole is worthless.
func (j *Journal) write(l line) {
	if j == nil {
		return
	}
	text, err := json.Marshal(l)
	must(err) // nothing in a line can fail to marshal
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err == nil {
		_, j.err = j.file.Write(append(text, '\n'))
	}
}

// replay does again what a journal tells, and leaves the file at the place of the next line.
func (s *Simulator) replay(file *os.File) (fresh bool, err error) {
	text, err := io.ReadAll(file)
	if err != nil {
		return false, err
	}
	whole := text[:bytes.LastIndexByte(text, '\n')+1]
	number := 0
	for raw := range bytes.Lines(whole) {
		number++
		var l line
		if err := json.Unmarshal(raw, &l); err != nil {
			return false, fmt.Errorf("line %d: %w", number, err)
		}
		if err := s.redo(&l, number == 1); err != nil {
			return false, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := file.Truncate(int64(len(whole))); err != nil {
		return false, err
	}
	_, err = file.Seek(0, io.SeekEnd)
	return number == 0, err
}

var (
	errForeignJournal = errors.New("it was begun with another seed or another number of subaccounts")
	errJournalLine    = errors.New("it does not say what a journal says")
)

func (s *Simulator) redo(l *line, first bool) error {
	if first || l.Op == "begin" {
		if l.Op != "begin" || l.Seed != s.seed || l.Subaccounts != len(s.tenants) {
			return errForeignJournal
		}
		return nil
	}
	t := s.byID[l.Tenant]
	switch {
	case l.Op == "request" && l.Request != nil:
		return s.redoRequest(l)
	case l.Op == "generate" && t != nil && l.From != nil && l.To != nil:
		late, err := ParseLateness(l.Late)
		if err != nil {
			return err
		}
		s.generate(t, l.Count, *l.From, *l.To, late)
		return nil
	case l.Op == "add" && t != nil:
		k, known := kindNamed(l.Producer)
		if !known {
			return errJournalLine
		}
		s.insert(t, entry{at: l.At, visible: l.Visible, kind: k}, given{id: l.ID, category: l.Category, json: l.Body})
		return nil
	default:
		return errJournalLine
	}
}

func (s *Simulator) redoRequest(l *line) error {
	if t := s.byID[l.Request.Tenant]; t != nil {
		ordinals, err := parseRanges(l.Served, t.size())
		if err != nil {
			return err
		}
		t.count(ordinals)
	}
	s.ledger.file(*l.Request, l.Leaks)
	return nil
}

// ranges writes ordinals shortly; those of a page are mostly consecutive.
func ranges(ordinals []uint32) string {
	var out []byte
	for i := 0; i < len(ordinals); {
		end := i
		for end+1 < len(ordinals) && ordinals[end+1] == ordinals[end]+1 {
			end++
		}
		if len(out) > 0 {
			out = append(out, ',')
		}
		out = strconv.AppendUint(out, uint64(ordinals[i]), 10)
		if end > i {
			out = strconv.AppendUint(append(out, '-'), uint64(ordinals[end]), 10)
		}
		i = end + 1
	}
	return string(out)
}

// parseRanges reads what ranges wrote, of ordinals below size.
func parseRanges(text string, size int) ([]uint32, error) {
	if text == "" {
		return nil, nil
	}
	var out []uint32
	for part := range strings.SplitSeq(text, ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err := strconv.ParseUint(low, 10, 32)
		if err != nil {
			return nil, errJournalLine
		}
		last, err := strconv.ParseUint(high, 10, 32)
		if err != nil || last < first || last >= uint64(size) {
			return nil, errJournalLine
		}
		for o := first; o <= last; o++ {
			out = append(out, uint32(o))
		}
	}
	return out, nil
}
