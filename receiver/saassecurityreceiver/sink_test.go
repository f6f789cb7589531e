// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/harness/observed"
	"github.com/otelcol-audit/otelcol-audit/internal/simulator/saassecurity"
)

// sink is the next consumer.
type sink struct {
	mu     sync.Mutex
	accept func(context.Context, plog.Logs) error // nil accepts everything
	logs   []plog.Logs
	calls  int
	uids   map[string]int
	found  map[int64]map[string]bool // uids by the number of the event
	names  map[string]int            // by EventName
}

func newSink() *sink {
	return &sink{uids: map[string]int{}, found: map[int64]map[string]bool{}, names: map[string]int{}}
}

func (*sink) Capabilities() consumer.Capabilities { return consumer.Capabilities{} }

func (s *sink) ConsumeLogs(ctx context.Context, logs plog.Logs) error {
	s.mu.Lock()
	s.calls++
	accept := s.accept
	s.mu.Unlock()
	if accept != nil {
		if err := accept(ctx, logs); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.logs = append(s.logs, logs)
	for _, lr := range observed.Records(logs) {
		s.names[lr.EventName()]++
		uid, _ := lr.Attributes().Get(attrUID)
		s.uids[uid.Str()]++
		for _, n := range saassecurity.Find([]byte(lr.Body().AsString())) {
			if s.found[n] == nil {
				s.found[n] = map[string]bool{}
			}
			s.found[n][uid.Str()] = true
		}
	}
	return nil
}

func (s *sink) do(accept func(context.Context, plog.Logs) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.accept = accept
}

func (s *sink) refuse(err error) {
	s.do(func(context.Context, plog.Logs) error { return err })
}

func (s *sink) called() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls
}

func (s *sink) events() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.found)
}
