// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

// identityService is Cloud Identity Services' text of key="value" pairs.
func (r *record) identityService() {
	text := `action="` + r.d.pick("create", "update", "delete", "login") + `" state="` + r.d.pick("successful", "failed") +
		`" objectType="` + r.d.pick("user", "serviceProvider", "admin") + `" userIdentifier="P` + r.number(999999) +
		`" callerMail="` + r.mail() + `" ipAddress="` + r.address() + `"`
	if r.d.chance(0.3) {
		text += ` changedAttribute="privileges" newValue="MANAGE_USERS" serviceProviderName="` + r.entity("Portal", 5) + `"`
	}
	r.inner = r.inner.str("data", text)
}

func (r *record) integration() {
	attributes := begin().str("message", "Artifact "+r.entity("cred", 30)+" was changed")
	data := begin().str("action", r.d.pick("PasswordStore", "AccessPolicyUpdate", "DataSourceCreate", "PackageImport")).
		str("objectType", r.d.pick("Security Material", "Access Policy", "JDBC Data Source", "Integration Package")).
		str("objectId", r.entity("cred", 30)).obj("attributes", attributes)
	r.inner = r.inner.str("ip", r.address()).str("data", data.text())
}

// studio is JSON text inside JSON text, or a bare sentence as older versions wrote it.
func (r *record) studio() {
	if r.d.chance(0.3) {
		r.inner = r.inner.str("data", "Unauthorized access attempt")
		return
	}
	space := r.entity("ws", 90)
	finding := begin().str("dev_space_id", space).str("user", r.mail()).raw("findings", `["Eicar"]`)
	data := begin().str("clusterID", "eu10").str("wsID", "workspaces-"+space).str("message", finding.text())
	r.inner = r.inner.str("data", data.text())
}

func (r *record) workZone() {
	r.inner = r.inner.str("ip", r.address()).str("data", r.d.pick(
		"User "+r.mail()+" tried to open the site “Finance <b>2026</b>” without authorization.\r\nAccess was denied.",
		"Role "+r.entity("Content_Admin", 4)+" was assigned to user "+r.mail()+" & published",
		"La page d’accueil a été publiée par "+r.mail()))
}

// management is Cloud Management's prose with members of JSON in it.
func (r *record) management() {
	r.inner = r.inner.str("data", `Audit event: "type":"`+r.crud()+`","entity":"`+r.d.pick("Subaccount", "Directory", "Global Account")+
		`","entityType":"`+r.d.pick("SUBACCOUNT", "FOLDER")+`","guid":"`+r.d.uuid()+`"`)
}

func (r *record) emergency() {
	r.inner = r.inner.str("data", `"crudType":"CREATE","type":"`+
		r.d.pick("Subaccount Administrator assignment", "Global Account Administrator assignment")+`","user":"`+r.mail()+`"`)
}

// ownRead is what the audit log service writes for every retrieval.
func (r *record) ownRead() {
	r.user = r.t.clientID
	subject := begin().str("type", "account").str("role", "account").obj("id", begin().str("id", r.t.clientID))
	r.inner = r.inner.obj("object", begin().str("type", "data read event").obj("id", begin().str("tenant_id", r.t.id))).
		obj("data_subject", subject).
		list("attributes", begin().str("name", "data read event").flag("successful", true)).
		raw("attachments", "[]")
}

// ownLogin is what the audit log service writes for every authentication against the API.
func (r *record) ownLogin() {
	r.user = r.t.clientID
	r.inner = r.inner.str("data", r.d.pick("successful login event", "successful login event", "unsuccessful login event"))
}

// broken is a message that is no JSON, in a record with members missing.
func (r *record) broken() {
	r.user = "UNKNOWN_USER"
	r.plain = "free text, not JSON {" + r.entity("case", 1000) + "}"
}

// foreign has a category and members of the future.
func (r *record) foreign() {
	r.inner = r.inner.obj("model", begin().str("name", r.entity("model", 4)).raw("tokens", "18446744073709551616").raw("temperature", "0.70"))
	r.inner = r.inner.raw("tags", `["a",null,{"b":[1,2.50,true]}]`)
}
