// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurity

import "time"

// state of one event.
type state uint8

const (
	stateQueued   state = iota
	stateDequeued       // taken off the queue, but its bytes did not go out whole
	stateSent           // every byte of it was written
	stateExpired
)

// queue of events in the order of their arrival. It stores a few bytes an event
// and generates the text when it is asked for, so that a backlog of millions
// costs little.
type queue struct {
	expiry    time.Duration
	generator generator
	events    []queued         // all there ever were, number n at index n-1
	head      int              // index of the first that was never taken
	returned  []int64          // taken once and put back
	raw       map[int64][]byte // those with given bytes
}

type queued struct {
	at    int64 // arrival, Unix nanoseconds
	state state
}

func (q *queue) next() int64 { return int64(len(q.events)) + 1 }

func (q *queue) add(now time.Time, raw []byte) {
	if raw != nil {
		if q.raw == nil {
			q.raw = map[int64][]byte{}
		}
		q.raw[q.next()] = raw
	}
	q.events = append(q.events, queued{at: now.UnixNano()})
}

func (q *queue) bytes(number int64) []byte {
	if raw, ok := q.raw[number]; ok {
		return raw
	}
	return q.generator.event(number, q.events[number-1].at)
}

// expire drops what has waited too long.
func (q *queue) expire(now time.Time) {
	limit := now.Add(-q.expiry).UnixNano()
	for len(q.returned) > 0 && q.events[q.returned[0]-1].at <= limit {
		q.set(q.returned[0], stateExpired)
		q.returned = q.returned[1:]
	}
	for q.head < len(q.events) && q.events[q.head].at <= limit {
		q.events[q.head].state = stateExpired
		q.head++
	}
}

func (q *queue) len() int { return len(q.returned) + len(q.events) - q.head }

// take removes up to n events.
func (q *queue) take(n int) []int64 {
	n = min(n, q.len())
	taken := make([]int64, 0, n)
	for ; n > 0 && len(q.returned) > 0; n-- {
		taken = append(taken, q.returned[0])
		q.returned = q.returned[1:]
	}
	for ; n > 0; n-- {
		q.head++
		taken = append(taken, int64(q.head))
	}
	for _, number := range taken {
		q.set(number, stateDequeued)
	}
	return taken
}

// giveBack puts events at the front of the queue again.
func (q *queue) giveBack(numbers []int64) {
	for _, number := range numbers {
		q.set(number, stateQueued)
	}
	q.returned = append(append([]int64(nil), numbers...), q.returned...)
}

func (q *queue) set(number int64, s state) { q.events[number-1].state = s }

// count of the events by state.
func (q *queue) count() (c [stateExpired + 1]int) {
	for _, e := range q.events {
		c[e.state]++
	}
	return c
}
