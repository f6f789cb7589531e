// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"io"
	"time"
)

// smallBody is how much of an answer may be in memory without a place, about a usual page.
const smallBody = 512 << 10

// lentBody is an answer that is being received. If it comes slowly, the place of its page is lent to others while it is
// small, until it has come. To grow further it needs one of the places for large slow answers, so that these wait for each
// other and hold up nobody else.
type lentBody struct {
	io.ReadCloser
	ctx   context.Context
	lease *lease
	slow  gate
	timer *time.Timer

	// guarded by lease.mu
	size  int
	grows bool // beyond smallBody
	ended bool
}

func newLentBody(ctx context.Context, body io.ReadCloser, l *lease, slow gate) *lentBody {
	b := &lentBody{ReadCloser: body, ctx: ctx, lease: l, slow: slow}
	l.mu.Lock() // late needs the timer
	defer l.mu.Unlock()
	b.timer = time.AfterFunc(lendAfter, b.late)
	return b
}

// late gives the place back, or changes it for one for large slow answers. While there is none it asks again and again: what
// was received is in memory and counts.
func (b *lentBody) late() {
	l := b.lease
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case b.ended:
	case !b.grows:
		l.giveBack()
	case b.slow.tryEnter():
		l.giveBack()
		l.in = b.slow
	default:
		b.timer.Reset(lendAfter)
	}
}

// Read implements io.Reader.
func (b *lentBody) Read(p []byte) (int, error) {
	rest, grows := b.room()
	if grows {
		if err := b.lease.takeIn(b.ctx, b.slow); err != nil {
			return 0, err
		}
	} else if len(p) > rest {
		p = p[:rest]
	}
	n, err := b.ReadCloser.Read(p)
	b.received(n)
	if errors.Is(err, io.EOF) {
		b.end()
		if failure := b.lease.take(b.ctx); failure != nil {
			return n, failure
		}
	}
	return n, err
}

// Close implements io.Closer.
func (b *lentBody) Close() error {
	b.end()
	return b.ReadCloser.Close()
}

// room says how much can be received while the body is small, and whether it grows beyond that.
func (b *lentBody) room() (int, bool) {
	b.lease.mu.Lock()
	defer b.lease.mu.Unlock()
	b.grows = b.size >= smallBody
	return smallBody - b.size, b.grows
}

func (b *lentBody) received(n int) {
	b.lease.mu.Lock()
	defer b.lease.mu.Unlock()
	b.size += n
}

func (b *lentBody) end() {
	b.lease.mu.Lock()
	defer b.lease.mu.Unlock()
	b.ended = true
	b.timer.Stop()
}
