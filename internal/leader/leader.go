// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package leader lets a component work only while its instance is the leader that an elector extension has chosen.
package leader

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
)

// retryPause is the pause before a term that could not begin is tried again.
const retryPause = 10 * time.Second

// elector is what a leader elector extension offers. The interface is declared here so that its module, which brings a whole
// Kubernetes client, is not needed.
type elector interface {
	SetCallBackFuncs(onStart func(context.Context), onStop func())
}

// Term is what is done while this instance leads. Begin and End are called one after the other, never at the same time;
// End only after a Begin that succeeded.
type Term struct {
	Begin func(context.Context) error
	End   func(context.Context) error
	// OnProblem is told of a term that cannot begin, and nil when it could or this instance does not lead any more.
	OnProblem func(error)
	Logger    *zap.Logger
}

// Candidate stands for election. The elector calls back under its own lock, several times, and possibly after Withdraw, so
// callbacks only leave word, and a goroutine acts on the latest.
type Candidate struct {
	term Term

	mu     sync.Mutex
	leads  bool
	left   bool          // nobody waits for the end any more
	word   chan struct{} // something changed; holds one
	cancel context.CancelFunc
	done   chan struct{}
}

// Stand registers with the elector extension id.
func Stand(ctx context.Context, host component.Host, id component.ID, term Term) (*Candidate, error) {
	found, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("leader elector extension %q is not running: define it under 'extensions' and list it in 'service::extensions'", id)
	}
	extension, ok := found.(elector)
	if !ok {
		return nil, fmt.Errorf("extension %q is not a leader elector: use k8s_leader_elector", id)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the caller's context ends when its Start returns
	c := &Candidate{term: term, word: make(chan struct{}, 1), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(c.done)
		c.serve(ctx)
	}()
	extension.SetCallBackFuncs(func(context.Context) { c.leave(true) }, func() { c.leave(false) })
	return c, nil
}

func (c *Candidate) leave(leads bool) {
	c.mu.Lock()
	c.leads = leads
	c.mu.Unlock()
	select {
	case c.word <- struct{}{}:
	default:
	}
}

func (c *Candidate) leading() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.leads
}

// serve begins and ends terms until ctx ends. A term that goes on then is the caller's to end, unless it began when the caller
// had given up waiting.
func (c *Candidate) serve(ctx context.Context) {
	serving, problem := false, ""
	for {
		select { // what the word says is looked at now
		case <-c.word:
		default:
		}
		var again <-chan time.Time
		switch leads := c.leading(); {
		case leads && !serving:
			err := c.term.Begin(ctx)
			c.term.OnProblem(err)
			if serving = err == nil; serving {
				problem = ""
				break
			}
			if text := err.Error(); text != problem { // one that goes on is one line
				problem = text
				c.term.Logger.Error("This instance leads but cannot begin; trying again", zap.Error(err))
			}
			again = time.After(retryPause)
		case !leads && serving:
			serving = false
			// Not cancelled by Withdraw: what is under way is to be waited for.
			if err := c.term.End(context.WithoutCancel(ctx)); err != nil {
				c.term.Logger.Warn("Ending the term of this instance", zap.Error(err))
			}
		case !leads && problem != "":
			problem = ""
			c.term.OnProblem(nil)
		}
		select {
		case <-again:
		case <-c.word:
		case <-ctx.Done():
			c.mu.Lock()
			left := c.left
			c.mu.Unlock()
			if serving && left {
				_ = c.term.End(context.WithoutCancel(ctx)) // nobody is left to tell
			}
			return
		}
	}
}

// Withdraw ends the candidacy. It returns the error of ctx if that ends before a Begin or End under way has.
func (c *Candidate) Withdraw(ctx context.Context) error {
	c.cancel()
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		c.mu.Lock()
		c.left = true
		c.mu.Unlock()
		return fmt.Errorf("shutting down before a term of this instance ended: %w", ctx.Err())
	}
}
