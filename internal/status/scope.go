// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package status

import "sync"

// Scope is causes that end together, when what they are about does. It is safe for concurrent use.
type Scope struct {
	reporter *Reporter

	mu     sync.Mutex
	closed bool
	set    map[string]struct{}
}

// Scope returns a scope of the reporter that knows of no trouble.
func (r *Reporter) Scope() *Scope {
	return &Scope{reporter: r, set: map[string]struct{}{}}
}

// Set is that of the Reporter. It does nothing once the scope is closed.
func (s *Scope) Set(cause string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if err == nil {
		delete(s.set, cause)
	} else {
		s.set[cause] = struct{}{}
	}
	s.reporter.Set(cause, err)
}

// Close clears the causes of the scope. What outlives it cannot bring them back.
func (s *Scope) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for cause := range s.set {
		s.reporter.Set(cause, nil)
	}
	clear(s.set)
}
