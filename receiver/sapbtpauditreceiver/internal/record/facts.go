// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// facts is what the six answers are made of: the texts that an event has about who did what to whom. Of several texts for
// the same thing the first counts.
type facts struct {
	name       string // of the event, by its category
	user       string
	ip         string // of the message, else of the record
	status     string
	objectType string
	went       outcome // as the message says it

	uaa  uaaEvent
	said uaaText // by the service's text
	// isMap says that data is text in the form of a Java map; ambiguous that it or the service's line imitates itself.
	isMap, ambiguous bool

	id     idFacts
	in     dataFacts
	change changeFacts
	text   string // of data or the message, where it is plain
}

// idFacts are the parts of an object's identifier that say what was done to whom.
type idFacts struct {
	crud, table, collection, role, name, user, id, other string
	others                                               int
}

func (f *idFacts) set(key, value string) {
	if value = present(value); value == "" {
		return
	}
	var buf [maxNormal]byte
	switch string(normal(&buf, key)) {
	case "crudtype":
		f.crud = value
	case "tablename":
		f.table = value
	case "rolecollectionname":
		f.collection = value
	case "rolename":
		f.role = value
	case "name", "groupname", "displayname":
		f.name = value
	case "userid", "username":
		f.user = value
	case "id", "key", "uuid", "guid":
		f.id = value
	default:
		f.other = value
		f.others++
	}
}

// dataFacts are the members of data, of what it wraps, and of Cloud Identity Services' pairs that say who did what to whom
// and how it went.
type dataFacts struct {
	action, crud, typ, objectType, objectID, state, address                  string
	user, identifier, caller, provider, devSpace, workspace, text, startedBy string
	entity                                                                   string
	went                                                                     outcome
	findings                                                                 bool
}

func (f *dataFacts) set(key, value string) {
	var field *string
	var buf [maxNormal]byte
	switch string(normal(&buf, key)) {
	case "action", "operation":
		field = &f.action
	case "crudtype":
		field = &f.crud
	case "type":
		field = &f.typ
	case "objecttype", "objtype", "entitytype":
		field = &f.objectType
	case "objectid", "objname", "objectname", "entityid", "guid":
		field = &f.objectID
	case "entity":
		field = &f.entity
	case "state", "outcome", "result":
		field = &f.state
	case "success", "successful", "successfull": //nolint:misspell // as fieldSuccessfull
		if o := outcomeOfText(value); o != unsaid {
			f.went = max(f.went, o)
		}
		return
	case "ip", "ipaddress", "clientip", "remoteaddress", "sourceip":
		field = &f.address
	case "user", "username", "userid":
		field = &f.user
	case "useridentifier":
		field = &f.identifier
	case "callermail", "caller":
		field = &f.caller
	case "serviceprovidername", "displayname", "name":
		field = &f.provider
	case "devspaceid":
		field = &f.devSpace
	case "wsid":
		field = &f.workspace
	case "startedby":
		field = &f.startedBy
	case "message":
		field = &f.text
	default:
		return
	}
	if *field == "" {
		*field = present(value)
	}
}

// isMalware tells the findings of Business Application Studio's scans from those of others.
func (f *dataFacts) isMalware() bool {
	return f.findings && (f.devSpace != "" || f.workspace != "")
}

// setPair takes the only names of pairs that count: in a text that a stranger can add names to, one that Cloud Identity
// Services does not write must not stand for one that it does. Java's maps have names of their own.
func (f *dataFacts) setPair(key, value string, isMap bool) {
	if counts(key) || isMap && (sameKey(key, "objType") || sameKey(key, "objName")) {
		f.set(key, value)
	}
}

// changeFacts are the changed values that name somebody or something.
type changeFacts struct {
	deployedBy, symbolicName, userName, name string
}

// set takes a changed value: the name of the attribute, or the last part of its path.
func (f *changeFacts) set(name, value string) {
	if value = present(value); value == "" {
		return
	}
	var field *string
	switch name {
	case "deployedBy", "undeployedBy", "redeployedBy":
		field = &f.deployedBy
	case "symbolicName":
		field = &f.symbolicName
	case "userName", "username":
		field = &f.userName
	case "name", "originKey", "displayName":
		field = &f.name
	default:
		return
	}
	if *field == "" {
		*field = value
	}
}

// outcome is what an event says about how it went: itself, the attributes that it lists, the authorization service's type, a state,
// or a text. What tells of a failure counts before what does not.
func (f *facts) outcome() outcome {
	whole := max(f.went, f.in.went)
	if whole == failed {
		return failed
	}
	if f.uaa.typ != "" {
		whole = max(whole, outcomeOfType(f.uaa.typ))
	}
	for _, text := range []string{f.status, f.in.state} {
		whole = max(whole, outcomeOfState(text))
	}
	for _, text := range []string{f.text, f.in.text, f.in.action} {
		whole = max(whole, outcomeOfProse(text))
	}
	return whole
}

// outcomeOfState reads a word for how something went.
func outcomeOfState(text string) outcome {
	if text == "" {
		return unsaid
	}
	for _, word := range failureWords {
		if hasPrefixFold(text, word) {
			return failed
		}
	}
	for _, word := range [...]string{"abort", "reject", "block", "cancel", "expired", "invalid", "refused", "forbidden", "locked"} {
		if hasPrefixFold(text, word) {
			return failed
		}
	}
	for _, word := range [...]string{"success", "succeeded", "ok", "completed", "granted", "allowed"} {
		if hasPrefixFold(text, word) {
			return succeeded
		}
	}
	return unsaid
}

// outcomeOfProse reads how a text begins, and the whole of the few that are known: what stands in the middle of a text may
// have been typed.
func outcomeOfProse(text string) outcome {
	if text == "" {
		return unsaid
	}
	for _, word := range failureWords {
		if hasPrefixFold(text, word) {
			return failed
		}
	}
	if p := proseOf(text); p != nil {
		return p.went
	}
	return unsaid
}

// failureWords begin the states and texts with which producers without a field for the outcome report a failure.
var failureWords = [...]string{"fail", "unsuccessful", "unauthorized", "error", "denied", "attempting to"}

func hasPrefixFold(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// prose is a text that is known: how it begins and ends, and what it says. Between both stands the target.
type prose struct {
	begins, ends   string
	action, target string
	went           outcome
}

// proses are the texts of the audit log (SAP-docs d888e5e), of Business Application Studio (btp-business-application-studio 9ff1a8d)
// and of Work Zone as public detections look for them.
var proses = [...]prose{
	{"successful login event", "", actionLogin, "", succeeded},
	{"unsuccessful login event", "", actionLogin, "", failed},
	{"Attempting to log in to DevSpace router", "", actionLogin, targetDevSpace, failed},
	{"Unauthorized access to the oData service ", " by user", actionAccess, targetService, failed},
	{"Unauthorized access", "", actionAccess, "", failed},
	{"All roles for providerId ", " were deleted successfully", actionDelete, targetRole, succeeded},
	{"malware ", "", actionDetectMalware, "", unsaid},
}

func proseOf(text string) *prose {
	for i := range proses {
		if p := &proses[i]; hasPrefixFold(text, p.begins) && strings.HasSuffix(text, p.ends) && len(text) >= len(p.begins)+len(p.ends) {
			return p
		}
	}
	return nil
}
