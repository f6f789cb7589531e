// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"github.com/otelcol-audit/otelcol-audit/internal/audit"
)

// Names of the attributes. Renaming one is a change of this file only.
const (
	attrServiceName    = "service.name"
	attrRegion         = "cloud.region"
	attrSubaccountID   = "sap.btp.subaccount.id"
	attrSubaccountName = "sap.btp.subaccount.name"

	attrUID      = "log.record.uid"
	attrOriginal = "log.record.original"
	attrUser     = "user.name"

	attrActorID    = audit.ActorID
	attrActorIDP   = audit.ActorIDP
	attrActorType  = audit.ActorType
	attrAction     = audit.Action
	attrTargetType = audit.TargetType
	attrTargetID   = audit.TargetID
	attrOutcome    = audit.Outcome
	attrClient     = audit.ClientAddress
	attrClientPort = audit.ClientPort

	attrCategory         = prefix + "category"
	attrMessageUUID      = prefix + "message_uuid"
	attrTenant           = prefix + "tenant"
	attrOrg              = prefix + "org_id"
	attrSpace            = prefix + "space_id"
	attrApp              = prefix + "app_or_service_id"
	attrALS              = prefix + "als_service_id"
	attrFormat           = prefix + "format_version"
	attrIdentityProvider = prefix + "identity_provider"
	attrStatus           = prefix + "status"
	attrSuccess          = prefix + "success"
	attrAmbiguous        = prefix + "ambiguous"
	attrText             = prefix + "text"

	attrObjectType   = prefix + "object.type"
	attrObjectID     = prefix + "object.id."
	attrSubjectType  = prefix + "data_subject.type"
	attrSubjectRole  = prefix + "data_subject.role"
	attrSubjectID    = prefix + "data_subject.id."
	attrSubjectCount = prefix + "data_subject.count"
	attrChanges      = prefix + "attribute.names"
	attrChange       = prefix + "change."

	attrEventType      = prefix + "event_type"
	attrPrincipal      = prefix + "principal"
	attrClientID       = prefix + "client_id"
	attrIdentityZone   = prefix + "identity_zone"
	attrIdentityOrigin = prefix + "identity_origin"
	attrOriginAddress  = prefix + "origin.remote_address"
	attrOriginUser     = prefix + "origin.user"
	attrOriginCaller   = prefix + "origin.caller"
	attrAuthType       = prefix + "authentication_type"
	attrDescription    = prefix + "detailed_description"
	attrGrantType      = prefix + "grant_type"
	attrTokenUser      = prefix + "token_user"
	attrLevel          = prefix + "level"
	attrMsgID          = prefix + "msg_id"
	attrMsgNo          = prefix + "msg_no"

	attrCIS  = prefix + "cis."
	attrData = prefix + "data."

	attrGapFrom    = prefix + "gap.from"
	attrGapTo      = prefix + "gap.to"
	attrGapReason  = prefix + "gap.reason"
	attrGapSeconds = prefix + "gap.seconds"

	prefix = "sap.btp.audit."
)

const serviceName = "sap-btp-audit"

// Event names, by category.
const (
	eventSecurity         = prefix + "security_event"
	eventConfiguration    = prefix + "configuration_change"
	eventDataAccess       = prefix + "data_access"
	eventDataModification = prefix + "data_modification"
	eventUnknown          = prefix + "unknown"
	EventGap              = prefix + "gap"
)

// categories are SAP's; writers may add a part of their own behind a point.
var categories = [...]struct{ category, event string }{
	{"audit.security-events", eventSecurity},
	{"audit.configuration", eventConfiguration},
	{"audit.data-access", eventDataAccess},
	{"audit.data-modification", eventDataModification},
}

func eventName(category string) string {
	for _, c := range categories {
		if category == c.category {
			return c.event
		}
	}
	category = strings.TrimSpace(category)
	for _, c := range categories {
		if hasPrefixFold(category, c.category) && (len(category) == len(c.category) || category[len(c.category)] == '.') {
			return c.event
		}
	}
	return eventUnknown
}
