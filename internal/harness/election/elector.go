// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package election plays the extension k8s_leader_elector, with the test as the one who elects.
package election

import (
	"context"

	"go.opentelemetry.io/collector/component"
)

// ElectorID is that of the extension.
var ElectorID = component.MustNewID("k8s_leader_elector")

// Elector calls whoever stands for election.
type Elector struct {
	component.StartFunc
	component.ShutdownFunc

	onElected  func(context.Context)
	onVotedOut func()
}

// SetCallBackFuncs is what a candidate calls.
func (e *Elector) SetCallBackFuncs(onElected func(context.Context), onVotedOut func()) {
	e.onElected, e.onVotedOut = onElected, onVotedOut
}

// Elect makes the candidate the leader. Without a candidate it panics.
func (e *Elector) Elect(ctx context.Context) { e.onElected(ctx) }

// VoteOut ends that.
func (e *Elector) VoteOut() { e.onVotedOut() }
