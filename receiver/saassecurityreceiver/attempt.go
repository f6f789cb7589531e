// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/delivery"
	"github.com/otelcol-audit/otelcol-audit/internal/spool"
	"github.com/otelcol-audit/otelcol-audit/receiver/saassecurityreceiver/internal/event"
)

const (
	// maxBegun is how many runs in a row may end while they work on the same entry. Then it is put aside: without that, an
	// entry that ends the process would do so at each start.
	maxBegun = 3

	// survived is how long after a part was mapped it cannot be what ends the process any more: the next component has it, which
	// may be down for long. How long mapping takes says nothing: the memory that ends a process is slow to be got.
	survived = 2 * time.Second
)

// process delivers an entry part by part. What was delivered of it is not delivered again, by the next run neither.
func (e *engine) process(ctx context.Context, entry *spool.Entry, mapper *event.Mapper) error {
	mark := entry.Mark
	if mark.Program != e.mapping.settings.ScopeVersion { // another one may find other events in it, and survive it
		mark = spool.Mark{Program: e.mapping.settings.ScopeVersion}
	}
	if mark.Begun >= maxBegun {
		return e.putAside(ctx, entry, errUnfinished)
	}
	// A mark costs a write. What needs one: that an entry was worked on by a run that has ended, that it is large, or that it
	// has several parts.
	a := &attempts{engine: e, entry: entry, mark: mark, noted: entry.Left || mark.Begun > 0 || len(entry.Body) > partBytes}
	if err := a.begin(ctx); err != nil {
		return err
	}
	u := unpack(entry)
	u.skip(mark.Done)
	if !entry.Again {
		e.tel.unpacked(ctx, u)
	}
	var refused error // what is refused of one part does not hold up the others
	for {
		p := u.part(&e.mapping, mapper)
		a.mapped(ctx)
		if !u.ended {
			a.noted = true
		}
		err := e.deliver(ctx, p, refused != nil)
		a.end(ctx, err == nil && refused == nil, u.index)
		if errors.Is(err, delivery.ErrRefusedAlone) {
			refused, err = err, nil
		}
		if err != nil || u.ended {
			return cmp.Or(err, refused)
		}
		if err := a.begin(ctx); err != nil {
			return err
		}
	}
}

// attempts keep the mark of an entry while its parts are worked on one after the other.
type attempts struct {
	*engine
	entry *spool.Entry
	noted bool // a mark is worth its write

	mu      sync.Mutex
	mark    spool.Mark // as stored
	running int        // number of the part that is worked on, 0 for none
	parts   int
	timer   *time.Timer
	alone   bool // no other entry under suspicion is worked on
}

// begin notes that the next part is worked on. Of entries under suspicion only one is worked on at a time, so that it is clear
// which of them ends a run.
func (a *attempts) begin(ctx context.Context) error {
	if a.mark.Begun > 0 {
		select {
		case a.suspect <- struct{}{}:
			a.alone = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if !a.noted {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.mark.Begun++
	a.parts++
	a.running = a.parts
	a.note(ctx)
	return nil
}

// mapped tells that the part is about to be handed on.
func (a *attempts) mapped(ctx context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if part := a.running; part != 0 {
		a.timer = time.AfterFunc(survived, func() { a.clear(ctx, part) })
	}
}

// clear notes that the part has not ended the process.
func (a *attempts) clear(ctx context.Context, part int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running != part || part == 0 {
		return
	}
	a.running = 0
	a.mark.Begun = 0
	a.note(ctx)
	a.release()
}

// end ends the work on a part. If it was delivered, the next write tells of it: that of the next part, or the deletion.
func (a *attempts) end(ctx context.Context, delivered bool, done int) {
	if !delivered {
		a.clear(ctx, a.parts)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
	a.running = 0
	if delivered {
		a.mark.Begun, a.mark.Done = 0, done
	}
	a.release()
}

func (a *attempts) release() {
	if a.alone {
		a.alone = false
		<-a.suspect
	}
}

// note writes the mark. Without it at most something is repeated, so a failure is no reason not to deliver.
func (a *attempts) note(ctx context.Context) {
	err := a.spool.Note(context.WithoutCancel(ctx), a.entry, a.mark)
	if err != nil && !errors.Is(err, spool.ErrClosed) {
		a.logger.Warn("The progress of a reply in the spool cannot be noted; after a crash, parts of it come again", zap.Error(err))
	}
}
