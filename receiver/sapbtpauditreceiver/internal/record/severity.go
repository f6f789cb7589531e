// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// outcome is whether an event says that what it reports succeeded. A failure outweighs.
type outcome int8

const (
	unsaid outcome = iota
	succeeded
	failed
)

// String is the value of audit.outcome.
func (o outcome) String() string {
	switch o {
	case succeeded:
		return "success"
	case failed:
		return "failure"
	default:
		return "unknown"
	}
}

// How an attribute says whether it could be accessed: as described and as in the example of the write API, SAP-docs
// 64e99bb.
const (
	fieldSuccessful  = "successful"
	fieldSuccessfull = "successfull" //nolint:misspell // it is what the example says
)

func outcomeOfText(text string) outcome {
	switch {
	case strings.EqualFold(text, "true"), text == "1", strings.EqualFold(text, "yes"):
		return succeeded
	case strings.EqualFold(text, "false"), text == "0", strings.EqualFold(text, "no"):
		return failed
	default:
		return unsaid
	}
}

// severityOf is INFO, and WARN for an event that tells of a failure; a level that the data has can only raise it.
func severityOf(went outcome, level string) (plog.SeverityNumber, string) {
	number, text := plog.SeverityNumberInfo, "INFO"
	if went == failed {
		number, text = plog.SeverityNumberWarn, "WARN"
	}
	levelNumber, levelText := number, text
	switch strings.ToUpper(level) {
	case "WARN", "WARNING":
		levelNumber, levelText = plog.SeverityNumberWarn, "WARN"
	case "ERROR":
		levelNumber, levelText = plog.SeverityNumberError, "ERROR"
	case "FATAL":
		levelNumber, levelText = plog.SeverityNumberFatal, "FATAL"
	}
	if levelNumber > number {
		return levelNumber, levelText
	}
	return number, text
}
