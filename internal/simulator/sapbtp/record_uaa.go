// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"strconv"
	"strings"
)

// uaaData is the envelope in which UAA puts its lines into data.
func (r *record) uaaData(level, msgID string, msgNo int, line string) {
	data := begin().str("level", level).raw("origin", "null").raw("msgNo", strconv.Itoa(msgNo)).
		str("msgId", msgID).str("message", line).raw("user", "null").str("version", "1.0")
	if r.d.chance(0.85) {
		r.inner = r.inner.str("ip", r.address())
	}
	r.inner = r.inner.str("data", data.text())
}

// uaaLine is UAA's grammar: Type ('text'): principal=…, origin=[…], identityZoneId=[…].
func (r *record) uaaLine(event, text, principal, origin string) string {
	return event + " ('" + text + "'): principal=" + principal + ", origin=[" + origin + "], identityZoneId=[" + r.t.id + "]"
}

func (r *record) uaaClient() {
	event, text, level := "ClientAuthenticationSuccess", "Client authentication success", "INFO"
	if r.d.chance(0.15) {
		event, text, level = "ClientAuthenticationFailure", "Client authentication failed", "WARN"
	}
	client := r.t.clientID
	if r.d.chance(0.5) {
		client = "sb-" + r.entity("shop", 40) + "!t" + strconv.Itoa(1000+r.d.intn(50))
	}
	r.user = client
	r.uaaData(level, r.d.uuid(), 1, r.uaaLine(event, text, client, "remoteAddress="+r.address()+", clientId="+client))
}

func (r *record) uaaUser() {
	event, text, level := "UserAuthenticationSuccess", "User authentication success", "INFO"
	switch r.d.intn(10) {
	case 0:
		event, text, level = "UserAuthenticationFailure", "User authentication failed", "WARN"
	case 1:
		event, text, level = "PrincipalAuthenticationFailure", "null", "WARN"
	case 2:
		event, text = "IdentityProviderAuthenticationSuccess", "Identity provider authentication success"
	}
	mail := r.mail()
	origin := "remoteAddress=" + r.address() + ", user=" + mail + ", sessionId=<SESSION>"
	line := r.uaaLine(event, text, mail, origin)
	if r.d.chance(0.5) {
		line += ", authenticationType=[" + r.d.pick("oauth_client_assertion", "saml2", "oidc1.0", "uaa") + "]"
	}
	if level == "WARN" {
		line += ", detailedDescription=[Bad credentials]"
	}
	r.uaaData(level, r.d.uuid(), 1, line)
}

// uaaToken is the event whose quoted text is a whole JSON document of token claims on BTP.
func (r *record) uaaToken() {
	mail := r.mail()
	claims := begin().str("jti", strings.ReplaceAll(r.d.uuid(), "-", "")).str("grant_type", r.d.pick("client_credentials", "authorization_code", "refresh_token")).
		str("cid", r.t.clientID).str("user_name", mail).str("origin", "sap.default").raw("exp", strconv.FormatInt(r.at.Unix()+43199, 10)).
		str("zid", r.t.id)
	origin := "remoteAddress=" + r.address() + ", client=" + r.t.clientID + ", user=" + mail
	r.uaaData("INFO", r.d.uuid(), 1, r.uaaLine("TokenIssuedEvent", claims.text(), r.d.uuid(), origin))
}

func (r *record) uaaAccount() {
	event := r.d.pick("UserCreatedEvent", "UserModifiedEvent", "PasswordChangeFailure", "UserDeletedEvent")
	level := "INFO"
	if event == "PasswordChangeFailure" {
		level = "ERROR"
	}
	mail := r.mail()
	r.user = r.d.pick("UNKNOWN_USER", mail)
	r.uaaData(level, r.d.uuid(), 1, r.uaaLine(event, `["user_id=`+r.d.uuid()+`","username=`+mail+`"]`, mail, "caller="+r.t.clientID+", remoteAddress="+r.address()))
}

// saml is a message too long for one record: the parts share msgId and are numbered by msgNo.
func (r *record) saml() {
	first := r.ordinal - uint32(r.part) + 1
	shared := newDice(r.t.seed, streamContent|uint64(first))
	msgID, mail := shared.uuid(), shared.pick(people...)
	text := r.uaaLine("IdentityProviderAuthenticationFailure", "SAML response rejected", mail, "remoteAddress=192.0.2.77")
	text += "\r\n<saml2p:Response xmlns:saml2p=\"urn:oasis:names:tc:SAML:2.0:protocol\" ID=\"_" + shared.uuid() + "\">"
	attribute := "<saml2:Attribute Name=\"" + shared.pick("Groups", "mail", "first_name") + "\">&quot;" + shared.uuid() + "&quot;</saml2:Attribute>"
	text += strings.Repeat(attribute, 18) + "</saml2p:Response>"
	half := len(text) / 2
	if r.part == 2 {
		text = text[half:]
	} else {
		text = text[:half]
	}
	r.user = mail
	r.uaaData("ERROR", msgID, int(r.part), text)
}
