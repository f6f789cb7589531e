// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import "strconv"

func (r *record) subject(role string) object {
	return begin().str("type", "Customer").str("role", role).obj("id", begin().str("ID", r.entity("C", 5000)))
}

// subjects adds one data_subject or a list of data_subjects.
func (r *record) subjects() {
	if r.d.chance(0.3) {
		r.inner = r.inner.list("data_subjects", r.subject("customer"), r.subject("payer"))
		return
	}
	r.inner = r.inner.obj("data_subject", r.subject("customer"))
}

func (r *record) businessObject() {
	name := r.d.pick("CustomerService.Addresses", "CustomerService.Customers", "SalesService.Orders", "HRService.Employees")
	r.inner = r.inner.obj("object", begin().str("type", name).obj("id", begin().str("ID", strconv.Itoa(1+r.d.intn(90000)))))
}

// appAccess is a read of personal data that a customer's application reported.
func (r *record) appAccess() {
	r.businessObject()
	r.subjects()
	spelling := "successful"
	if r.d.chance(0.2) {
		spelling += "l" // as one of SAP's own examples spells it
	}
	ok := !r.d.chance(0.1)
	r.inner = r.inner.list("attributes", begin().str("name", r.d.pick("email", "iban", "birthday")).flag(spelling, ok),
		begin().str("name", "street").flag(spelling, ok))
	if r.d.chance(0.2) {
		r.inner = r.inner.list("attachments", begin().str("id", r.d.uuid()).str("name", "contract.pdf").str("content", ""))
	}
}

// appChange is a change of personal data: masked values, missing sides, several subjects.
func (r *record) appChange() {
	r.businessObject()
	r.subjects()
	crud := r.crud()
	r.inner = r.inner.list("attributes", r.change(crud, "street", "Main St "+r.number(99), "Main St "+r.number(99)),
		r.change(crud, "cardNumber", "***4*", "***9*"))
	r.outcome()
}

// datasphere puts a JSON document into the name of an attribute.
func (r *record) datasphere() {
	name := begin().str("workspace_id", r.entity("SPACE", 12)).str("action", r.d.pick("RUN", "DELETE", "SHARE")).
		str("started_by", r.mail()).str("message", "view replication finished")
	r.inner = r.inner.obj("object", begin().str("type", "workspace").obj("id", begin().str("id", r.entity("SPACE", 12)))).
		list("attributes", begin().str("name", name.text()))
	r.outcome()
}
