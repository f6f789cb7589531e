// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import "strings"

// Names of the attributes. Renaming one is a change of this file only.
const (
	attrServiceName    = "service.name"
	attrRegion         = "cloud.region"
	attrSubaccountID   = "sap.btp.subaccount.id"
	attrSubaccountName = "sap.btp.subaccount.name"

	attrUID      = "log.record.uid"
	attrOriginal = "log.record.original"
	attrUser     = "user.name"
	attrClient   = "client.address"

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

	attrObjectType   = prefix + "object.type"
	attrObjectID     = prefix + "object.id."
	attrSubjectType  = prefix + "data_subject.type"
	attrSubjectRole  = prefix + "data_subject.role"
	attrSubjectID    = prefix + "data_subject.id."
	attrSubjectCount = prefix + "data_subject.count"
	attrChanges      = prefix + "attribute.names"

	attrEventType      = prefix + "event_type"
	attrPrincipal      = prefix + "principal"
	attrClientID       = prefix + "client_id"
	attrIdentityZone   = prefix + "identity_zone"
	attrIdentityOrigin = prefix + "identity_origin"
	attrOriginAddress  = prefix + "origin.remote_address"
	attrOriginUser     = prefix + "origin.user"
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

func eventName(category string) string {
	switch strings.ToLower(strings.TrimSpace(category)) {
	case "audit.security-events":
		return eventSecurity
	case "audit.configuration":
		return eventConfiguration
	case "audit.data-access":
		return eventDataAccess
	case "audit.data-modification":
		return eventDataModification
	default:
		return eventUnknown
	}
}
