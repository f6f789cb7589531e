// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package killpoints

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Moments of a request, as the server sees it.
const (
	arrived  = "arrived"  // nothing is taken off the queue, and nothing will be
	unsent   = "unsent"   // the answer is decided, and its events are taken; no byte of it is sent
	halfSent = "halfSent" // a part of the body is sent
	sent     = "sent"     // everything is sent
)

var requestMoments = []string{arrived, unsent, halfSent, sent}

// request is a point of the network at which the server kills the process that asks.
type request struct {
	path   string // how it ends
	moment string
	nth    int // 0 is the first request of its path
}

// gate stands before a simulator.
type gate struct {
	next http.Handler

	mu     sync.Mutex
	passed int
	at     *request // nil for none
	kill   func()   // returns when the process is dead

	hold atomic.Pointer[func() bool] // requests wait as long as it says so; nil for never
	held atomic.Int32                // requests that wait
}

// wait plays a long poll, and tells whether the client is still there afterwards.
func (g *gate) wait(r *http.Request) bool {
	g.held.Add(1)
	defer g.held.Add(-1)
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for {
		if hold := g.hold.Load(); hold == nil || !(*hold)() {
			return r.Context().Err() == nil
		}
		select {
		case <-r.Context().Done():
			return false
		case <-look.C:
		}
	}
}

// arm sets the point for the next process.
func (g *gate) arm(at *request, kill func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.at, g.kill, g.passed = at, kill, 0
}

// moment of the point, if this request is it.
func (g *gate) moment(r *http.Request) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.at == nil || !strings.HasSuffix(r.URL.Path, g.at.path) {
		return ""
	}
	g.passed++
	if g.passed != g.at.nth+1 {
		return ""
	}
	return g.at.moment
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.hold.Load() != nil && !g.wait(r) {
		panic(http.ErrAbortHandler)
	}
	switch moment := g.moment(r); moment {
	case "":
		g.next.ServeHTTP(w, r)
	case arrived:
		g.kill()
		panic(http.ErrAbortHandler)
	default:
		answer := &answer{ResponseWriter: w, moment: moment, kill: sync.OnceFunc(g.kill)}
		g.next.ServeHTTP(answer, r)
		_ = http.NewResponseController(w).Flush() // it fails only where nobody is there any more
		answer.kill()
	}
}

// answer kills whoever waits for it.
type answer struct {
	http.ResponseWriter
	moment string
	kill   func()
}

// Unwrap lets the simulator flush and hijack.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

func (a *answer) WriteHeader(status int) {
	if a.moment == unsent {
		a.kill()
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(body []byte) (int, error) {
	if a.moment != halfSent {
		return a.ResponseWriter.Write(body)
	}
	n, err := a.ResponseWriter.Write(body[:len(body)/2])
	if err == nil {
		err = http.NewResponseController(a.ResponseWriter).Flush()
	}
	a.kill()
	return n, err
}
