// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

// field is a documented member of an event.
type field int

// The fields that more is made of than an attribute of the same name.
const (
	fieldLogType field = iota
	fieldTimestamp
	fieldDate
	fieldSerial
	fieldSeverity
	fieldItemType
	fieldItemName
	fieldUser
	fieldUserEmail
	fieldAdminID
	fieldSourceIP
	fieldIP
	fieldPolicyRuleName
	fieldOccurrences
	fieldRemoteAddress
	fieldItemUniqueID
	fieldItemVerdict
	fieldAssetID
	fieldItemOwner
	fieldItemOwnerEmail
	fieldIncidentID
	fieldAction
	fieldActionTaken
	fieldActionTakenBy
	fieldEventType
	fieldTargetName
	fieldTargetType
)

// fieldNames lists every documented field, first those named above. The
// attributes of a record come in this order.
var fieldNames = [...]string{
	fieldLogType:        keyLogType,
	fieldTimestamp:      "timestamp",
	fieldDate:           "date",
	fieldSerial:         "serial",
	fieldSeverity:       "severity",
	fieldItemType:       "item_type",
	fieldItemName:       "item_name",
	fieldUser:           "user",
	fieldUserEmail:      "user_email",
	fieldAdminID:        "admin_id",
	fieldSourceIP:       "source_ip",
	fieldIP:             "ip",
	fieldPolicyRuleName: "policy_rule_name",
	fieldOccurrences:    "occurrences_by_rule",
	fieldRemoteAddress:  "remoteAddress", // in the vendor's own parsers only
	fieldItemUniqueID:   "item_unique_id",
	fieldItemVerdict:    "item_verdict",
	fieldAssetID:        "asset_id",
	fieldItemOwner:      "item_owner",
	fieldItemOwnerEmail: "item_owner_email",
	fieldIncidentID:     "incident_id",
	fieldAction:         "action",
	fieldActionTaken:    "action_taken",
	fieldActionTakenBy:  "action_taken_by",
	fieldEventType:      "event_type",
	fieldTargetName:     "target_name",
	fieldTargetType:     "target_type",

	"cloud_app_instance",
	"item_sha256",
	"item_cloud_url",
	"item_creator",
	"item_creator_email",
	"container_name",
	"collaborators",
	"exposure",
	"incident_category",
	"incident_owner",
	"location",
	"admin_role",
	"field",
	"resource_value_old",
	"resource_value_new",
	"description",
	"policy_id",
	"additional_notes",
	"future_use",
	"future_use2",
}

var (
	attributeNames = func() (names [len(fieldNames)]string) {
		for f, name := range fieldNames {
			names[f] = namePrefix + name
		}
		return names
	}()
	fieldByName = func() map[string]field {
		byName := make(map[string]field, len(fieldNames))
		for f, name := range fieldNames {
			byName[name] = field(f)
		}
		return byName
	}()
)
