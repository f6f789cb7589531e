// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"
)

// elector is what a leader elector extension offers. The interface is declared here so that its module, which brings a whole
// Kubernetes client, is not needed.
type elector interface {
	SetCallBackFuncs(onStart func(context.Context), onStop func())
}

// election runs an engine while this instance leads. The elector calls back under its own lock, several times, and possibly
// after Shutdown, so callbacks only leave word, and a goroutine acts on the latest.
type election struct {
	mu     sync.Mutex
	leads  bool
	word   chan struct{} // something changed; holds one
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

// standForElection registers with the extension that k8s_leader_elector names.
func (r *auditReceiver) standForElection(ctx context.Context, host component.Host) (*election, error) {
	id := *r.cfg.LeaderElectorID
	found, ok := host.GetExtensions()[id]
	if !ok {
		return nil, fmt.Errorf("leader elector extension %q is not running: define it under 'extensions' and list it in 'service::extensions'", id)
	}
	extension, ok := found.(elector)
	if !ok {
		return nil, fmt.Errorf("extension %q is not a leader elector: use k8s_leader_elector", id)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // Start's context ends when Start returns
	v := &election{word: make(chan struct{}, 1), cancel: cancel}
	v.ended.Go(func() { v.serve(ctx, r, host) })
	extension.SetCallBackFuncs(func(context.Context) { v.leave(true) }, func() { v.leave(false) })
	return v, nil
}

func (v *election) leave(leads bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.leads = leads
	select {
	case v.word <- struct{}{}:
	default:
	}
}

func (v *election) leading() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.leads
}

// serve begins and ends terms until ctx ends. A term that cannot begin is tried again.
func (v *election) serve(ctx context.Context, r *auditReceiver, host component.Host) {
	serving := false
	for {
		switch leads := v.leading(); {
		case leads && !serving:
			err := r.begin(ctx, host)
			r.status.Set(causeTerm, err)
			if err == nil {
				serving = true
				continue
			}
			r.logger.Error("This instance leads but cannot begin", zap.Error(err))
			if sleep(ctx, maxPause) != nil {
				return
			}
			continue
		case !leads && serving:
			serving = false
			// Not cancelled by withdraw: reads in flight are to be waited for.
			if err := r.end(context.WithoutCancel(ctx)); err != nil {
				r.logger.Warn("Ending the term of this instance", zap.Error(err))
			}
			continue
		}
		select {
		case <-v.word:
		case <-ctx.Done():
			return
		}
	}
}

// withdraw ends the election; the engine of a term that goes on is left to the caller.
func (v *election) withdraw(ctx context.Context) error {
	v.cancel()
	if !finished(ctx, &v.ended) {
		return fmt.Errorf("shutting down before a term of this instance ended: %w", ctx.Err())
	}
	return nil
}
