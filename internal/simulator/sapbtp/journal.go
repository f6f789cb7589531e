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

	Request *Request    `json:"request,omitempty"`
	Served  [][2]uint32 `json:"served,omitempty"` // first and last ordinal of each run
	Leaks   []Leak      `json:"leaks,omitempty"`
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
		if err = json.Unmarshal(raw, &l); err == nil {
			err = s.redo(&l, number == 1)
		}
		if err != nil {
			return false, fmt.Errorf("line %d: %w", number, err)
		}
	}
	_, err = file.Seek(int64(len(whole)), io.SeekStart)
	return number == 0, errors.Join(err, file.Truncate(int64(len(whole))))
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
		ordinals, err := unroll(l.Served, t.size())
		if err != nil {
			return err
		}
		t.count(ordinals)
	}
	s.ledger.file(*l.Request, l.Leaks)
	return nil
}

// ranges puts ordinals shortly, as first and last of each run; those of a page are mostly consecutive.
func ranges(ordinals []uint32) [][2]uint32 {
	var out [][2]uint32
	for _, o := range ordinals {
		if n := len(out); n > 0 && out[n-1][1]+1 == o {
			out[n-1][1] = o
		} else {
			out = append(out, [2]uint32{o, o})
		}
	}
	return out
}

// unroll undoes ranges, for ordinals below size.
func unroll(runs [][2]uint32, size int) ([]uint32, error) {
	var out []uint32
	for _, r := range runs {
		if r[1] < r[0] || int(r[1]) >= size {
			return nil, errJournalLine
		}
		for o := r[0]; o <= r[1]; o++ {
			out = append(out, o)
		}
	}
	return out, nil
}
