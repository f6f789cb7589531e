// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package saassecurity plays Palo Alto Networks' SaaS Security log events API:
// the token endpoint and the two destructive reads, /api/v1/log_events_bulk and
// /api/v1/log_events.
//
// A [Simulator] holds a queue of generated events, each with a number that is
// part of one of its ordinary fields (see [Marker] and [Find]). A read takes
// events off the queue for good, as the real API does: nothing can be read
// twice, nothing is acknowledged, and what nobody reads within [Options.Expiry]
// is gone. The [Ledger] says what became of every event and of every request,
// so that a test can account for each of them.
//
// [Rule]s make requests go wrong: refusals, broken connections, spoiled
// documents, slow replies. They are matched in order and draw from the seed of
// the simulator, so a run can be repeated.
//
// The simulator is an http.Handler. [Simulator.Transport] reaches it in memory
// through Go's own HTTP client and server; created and used within a
// testing/synctest bubble it runs on the bubble's clock. [Simulator.Start]
// listens on a real port.
package saassecurity
