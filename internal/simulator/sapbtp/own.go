// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

// noteLogin writes what UAA writes for a token (SAP-docs d888e5e).
func (s *Simulator) noteLogin(x *exchange) {
	if x.readings.OwnRecords {
		s.own(x, kindSelfClient, kindSelfToken)
	}
}

// noteRead writes what the audit log service writes for a retrieval, whatever it returned, and for the login that came with
// it (SAP-docs d888e5e).
func (s *Simulator) noteRead(x *exchange) {
	if x.readings.OwnRecords {
		s.own(x, kindSelfLogin, kindOwnRead)
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

// selfClient is what UAA writes when the collector shows its credentials.
func (r *record) selfClient() {
	client := r.t.clientID
	r.user = client
	origin := "remoteAddress=" + r.address() + ", clientId=" + client
	r.uaaData("INFO", r.d.uuid(), 1, r.uaaLine("ClientAuthenticationSuccess", "Client authentication success", client, origin))
}

// selfToken is what UAA writes when it gives the collector a token.
func (r *record) selfToken() {
	client := r.t.clientID
	r.user = client
	claims := begin().str("jti", r.d.uuid()).str("grant_type", "client_credentials").str("cid", client).str("zid", r.t.id)
	origin := "remoteAddress=" + r.address() + ", client=" + client
	r.uaaData("INFO", r.d.uuid(), 1, r.uaaLine("TokenIssuedEvent", claims.text(), client, origin))
}

// selfLogin is what the audit log service writes of the collector's login.
func (r *record) selfLogin() {
	r.user = r.t.clientID
	r.inner = r.inner.str("data", "successful login event")
}
