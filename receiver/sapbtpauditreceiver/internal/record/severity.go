// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// outcome is whether an event says that what it reports succeeded.
type outcome int8

const (
	unsaid outcome = iota
	succeeded
	failed
)

// How an attribute says whether it could be accessed: as described and as in the example of the write API, SAP-docs
// 64e99bb.
const (
	fieldSuccessful  = "successful"
	fieldSuccessfull = "successfull" //nolint:misspell // it is what the example says
)

// outcome reads the event's own success, or else that of the attributes that it lists: one that was not successful
// makes the whole a failure.
func (ev *event) outcome() outcome {
	if o := outcomeOf(ev.success); o != unsaid {
		return o
	}
	whole := unsaid
	for change := range ev.changes.Children() {
		for n := range change.Children() {
			if key := n.Key(); key == fieldSuccessful || key == fieldSuccessfull {
				whole = max(whole, outcomeOf(n))
			}
		}
	}
	return whole
}

func outcomeOf(n jsonlog.Node) outcome {
	switch strings.ToLower(n.Scalar()) {
	case "true":
		return succeeded
	case "false":
		return failed
	default:
		return unsaid
	}
}

// severity is INFO, and WARN for an event that tells of a failure; a level that the data has can only raise it.
func (ev *event) severity() (plog.SeverityNumber, string) {
	number, text := plog.SeverityNumberInfo, "INFO"
	if ev.failed() {
		number, text = plog.SeverityNumberWarn, "WARN"
	}
	levelNumber, levelText := number, text
	switch strings.ToUpper(ev.level) {
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

func (ev *event) failed() bool {
	return ev.outcome() == failed ||
		strings.HasSuffix(ev.uaa.typ, "Failure") ||
		tellsFailure(ev.status) || tellsFailure(ev.pair("state")) || tellsFailure(ev.dataText)
}

// failureWords begin the states and texts with which producers without a field for the outcome report a failure.
var failureWords = [...]string{"fail", "unsuccessful", "unauthorized", "error", "denied"}

func tellsFailure(text string) bool {
	for _, word := range failureWords {
		if len(text) >= len(word) && strings.EqualFold(text[:len(word)], word) {
			return true
		}
	}
	return false
}
