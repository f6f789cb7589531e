// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

// outcome adds success in two of three cases: without it, a change was only announced.
func (r *record) outcome() {
	if n := r.d.intn(12); n < 8 {
		r.inner = r.inner.flag("success", n > 0)
	}
}

// change writes an attribute: no old value on CREATE, no new one on DELETE, and now and then null for absent.
func (r *record) change(crud, name, before, after string) object {
	o := begin().str("name", name)
	if crud != "CREATE" {
		o = o.str("old", before)
	} else if r.d.chance(0.2) {
		o = o.raw("old", "null")
	}
	if crud != "DELETE" {
		o = o.str("new", after)
	}
	return o
}

func (r *record) crud() string { return r.d.pick("CREATE", "UPDATE", "DELETE") }

// roleCollection is XSUAA's administration: rows of its tables.
func (r *record) roleCollection() {
	table := r.d.pick("xs_rolecollection2user", "xs_rolecollection2user", "xsrolecollections", "xsrolecollection2role",
		"xsrolecollection2samlattribute", "xsrole", "xsattribute2role", "xs_tenant", "users")
	crud := r.crud()
	name := r.d.pick("Subaccount Administrator", "Subaccount Viewer", "Destination Administrator", "Business_Application_Studio_Developer")
	id := begin().str("tableName", table).str("crudType", crud).str("rolecollection_name", name)
	switch table {
	case "xs_rolecollection2user", "users":
		id = id.str("user_id", r.d.uuid()).str("origin", "sap.default")
	case "xsrole", "xsrolecollection2role", "xsattribute2role":
		id = id.str("role_name", r.d.pick("Viewer", "Auditor", "Developer")).str("role_template_appid", r.entity("app", 20)+"!b12")
	}
	r.inner = r.inner.obj("object", begin().str("type", table).obj("id", id)).
		list("attributes", r.change(crud, "rolecollection_name", name, name))
	r.outcome()
}

// scimUser carries the whole entity as JSON text in one attribute.
func (r *record) scimUser() {
	crud, mail := r.crud(), r.mail()
	entity := begin().str("id", r.d.uuid()).str("userName", mail).flag("active", true).
		list("emails", begin().str("value", mail).flag("primary", true)).str("zoneId", r.t.id).raw("version", "0")
	id := begin().str("crudType", crud).str("user_id", r.d.uuid()).str("name", mail)
	r.inner = r.inner.obj("object", begin().str("type", "scim user").obj("id", id)).
		list("attributes", r.change(crud, "complete", entity.text(), entity.text()))
	r.outcome()
}

func (r *record) identityProvider() {
	crud := r.crud()
	before := begin().str("originKey", "acme-ias").str("type", "oidc1.0").flag("active", false)
	after := begin().str("originKey", "acme-ias").str("type", "oidc1.0").flag("active", true).
		obj("config", begin().str("issuer", "https://acme.accounts.example.com").flag("addShadowUserOnLogin", true))
	id := begin().str("crudType", crud).str("name", "acme-ias").str("origin", "acme-ias")
	r.inner = r.inner.obj("object", begin().str("type", "IdentityProvider").obj("id", id)).
		list("attributes", r.change(crud, "complete", before.text(), after.text()))
	r.outcome()
}

func (r *record) deployment() {
	artifact := r.entity("OrderReplication", 60)
	id := begin().str("name", artifact).str("version", "1.0."+r.number(9)).str("packageId", r.entity("Sales", 5))
	r.inner = r.inner.obj("object", begin().str("type", r.d.pick("Deployment", "Undeployment", "Redeployment")).obj("id", id)).
		list("attributes", begin().str("name", "artifact").str("new", artifact))
	r.outcome()
}

// managementChange is Cloud Management's event as a configuration change.
func (r *record) managementChange() {
	crud := r.crud()
	entity := r.d.pick("Subaccount", "Directory", "Entitlement", "Environment instance")
	id := begin().str("type", crud).str("entity", entity).str("guid", r.d.uuid())
	r.inner = r.inner.obj("object", begin().str("type", "entityType").obj("id", id)).
		list("attributes", r.change(crud, "displayName", r.entity("team", 30), r.entity("team", 30)))
	r.outcome()
}
