// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

// noteLogin writes what UAA writes for a token (SAP-docs d888e5e).
func (s *Simulator) noteLogin(x *exchange) {
	if x.readings.OwnRecords {
		s.own(x, kindUAAClient, kindUAAToken)
	}
}

// noteRead writes what the audit log service writes for a retrieval, whatever it returned, and for the login that came with
// it (SAP-docs d888e5e).
func (s *Simulator) noteRead(x *exchange) {
	if x.readings.OwnRecords {
		s.own(x, kindOwnLogin, kindOwnRead)
	}
}

func (s *Simulator) own(x *exchange, kinds ...kind) {
	t := x.tenant
	for _, k := range kinds {
		e := entry{at: x.at.UnixMilli(), kind: k}
		t.mu.Lock()
		s.insertLocked(t, t.delayed(e, uint64(len(t.entries)), s.lateness), given{})
		t.mu.Unlock()
	}
}
