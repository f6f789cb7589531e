// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package event

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// levels are the words for the levels from 0 to 5: the vendor's, whose Incident
// API sends them, and what others call them.
var levels = map[string]float64{
	"info": 1, "information": 1, "informational": 1, "informative": 1, "notice": 1, "verbose": 1, "debug": 1,
	"low": 2, "minor": 2,
	"medium": 3, "med": 3, "moderate": 3, "warn": 3, "warning": 3,
	"high": 4, "major": 4, "important": 4, "error": 4,
	"critical": 5, "crit": 5, "severe": 5, "fatal": 5, "very high": 5, "emergency": 5, "urgent": 5,
}

// severity grades the levels from 0 to 5, as numbers or words. Events without one
// inform. ok is false for what is no level: that is no severity at all, for it
// may be the highest.
func severity(n jsonlog.Node) (number plog.SeverityNumber, ok bool) {
	if absent(n) || n.Kind() == jsonlog.String && strings.TrimSpace(n.Str()) == "" {
		return plog.SeverityNumberInfo, true
	}
	level, ok := levelOf(n)
	switch {
	case !ok || level < 0:
		return plog.SeverityNumberUnspecified, false
	case level <= 1:
		return plog.SeverityNumberInfo, true
	case level <= 2:
		return plog.SeverityNumberInfo2, true
	case level <= 3:
		return plog.SeverityNumberWarn, true
	case level <= 4:
		return plog.SeverityNumberError, true
	default:
		return plog.SeverityNumberError2, true
	}
}

func levelOf(n jsonlog.Node) (float64, bool) {
	if level, ok := numberOf(n); ok || n.Kind() != jsonlog.String {
		return level, ok
	}
	word := strings.ToLower(strings.TrimSpace(n.Str()))
	if level, ok := levels[word]; ok {
		return level, true
	}
	// SEVERITY_HIGH, severity: high, high severity
	word = strings.Trim(strings.ReplaceAll(word, "severity", ""), " _-:.")
	level, ok := levels[word]
	return level, ok
}
