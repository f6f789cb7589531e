// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

func faultRepeatHandle(x *exchange, _ *Fault, r *reply) {
	if handle := x.query.Get("handle"); handle != "" {
		r.page.hasNext, r.page.handle = true, handle
	}
}

func faultEndlessEmpty(x *exchange, _ *Fault, r *reply) {
	if !r.page.hasNext {
		after := &session{asked: x.step.asked, list: []uint32{}, page: x.step.page + 1, made: x.at}
		r.page.hasNext, r.page.handle = true, x.tenant.reads.keep(after, x.at, x.readings.Handles)
	}
}

func faultEndlessRows(x *exchange, _ *Fault, r *reply) {
	if !r.page.hasNext {
		again := *x.step
		again.page++
		again.uses = 0
		r.page.hasNext, r.page.handle = true, x.tenant.reads.keep(&again, x.at, x.readings.Handles)
	}
}

func faultNoHandle(_ *exchange, _ *Fault, r *reply) { r.page.hasNext = false }
