// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import "strings"

// The log types that the vendor documents: five for this API, and the last one
// for syslog only.
const (
	typeActivity        = "activity_monitoring"
	typeIncident        = "incident"
	typeViolation       = "policy_violation"
	typeRemediation     = "remediation"
	typeAdmin           = "admin_audit"
	typeBehaviourThreat = "ba_incident_event"
)

const (
	namePrefix  = "saas_security."
	nameUnknown = namePrefix + "unknown"

	maxTypeLength = 48
	maxTypeDigits = 4 // more of them are an id or a date, not a type
)

var knownNames = map[string]string{
	typeActivity:        namePrefix + typeActivity,
	typeIncident:        namePrefix + typeIncident,
	typeViolation:       namePrefix + typeViolation,
	typeRemediation:     namePrefix + typeRemediation,
	typeAdmin:           namePrefix + typeAdmin,
	typeBehaviourThreat: namePrefix + typeBehaviourThreat,
}

// eventName is the name for a log type. Names of events are few, so what does
// not look like a type becomes saas_security.unknown.
func eventName(logType string) (name string, known bool) {
	if name, known = knownNames[logType]; known {
		return name, true
	}
	snake := snakeCase(logType)
	if snake == "" {
		return nameUnknown, false
	}
	if name, known = knownNames[snake]; known {
		return name, true
	}
	return namePrefix + snake, false
}

// snakeCase writes a type in small letters, digits and single underscores, or
// returns "" if that is not sensible.
func snakeCase(logType string) string {
	if len(logType) > maxTypeLength {
		return ""
	}
	var b strings.Builder
	digits, gap, small := 0, false, false
	for i := range len(logType) {
		c := logType[i]
		isSmall := c >= 'a' && c <= 'z'
		isDigit := c >= '0' && c <= '9'
		isCapital := c >= 'A' && c <= 'Z'
		if c > 0x7f {
			return ""
		}
		if !isSmall && !isDigit && !isCapital {
			gap, small = true, false
			continue
		}
		if b.Len() > 0 && (gap || (small && isCapital)) {
			b.WriteByte('_')
		}
		if isDigit {
			digits++
		}
		if isCapital {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
		gap, small = false, isSmall
	}
	name := b.String()
	if name == "" || digits > maxTypeDigits || (name[0] >= '0' && name[0] <= '9') {
		return ""
	}
	return name
}
