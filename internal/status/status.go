// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package status reports a component's health to its host: several causes of trouble at once, and only when they change.
package status

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

// maxText bounds what one cause contributes to the event, in bytes. Events end up on health endpoints.
const maxText = 256

// maxCauses bounds how many causes the event spells out. The others are only counted.
const maxCauses = 10

// Reporter joins named causes of trouble into one component status. It spells out ten of them, in the order of their names:
// of each kind, which is the first word of the name, as many as of any other, so that many of one kind do not hide another.
// It is safe for concurrent use. Causes may be set at any time; the host hears of them between Start and Stop only.
type Reporter struct {
	mu       sync.Mutex
	host     component.Host    // nil before Start and after Stop
	causes   map[string]string // cause → text
	reported string            // text of the last event sent, empty for OK
}

// New returns a reporter that knows of no trouble.
func New() *Reporter {
	return &Reporter{causes: map[string]string{}}
}

// Start gives the reporter its host and reports what was set before. It reports nothing if all is well, because the
// service does so itself once the component's Start has returned.
func (r *Reporter) Start(host component.Host) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.host = host
	r.reported = ""
	r.report()
}

// Stop ends the reporting. When it has returned, the host is not called any more.
func (r *Reporter) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.host = nil
}

// Set says that cause, a short name such as "delivery" or "storage tenant-1", is troubled by err; nil clears it. The text of err is
// shown on health endpoints: control characters are replaced and long texts cut, but it is up to the caller that it holds
// no secret and no content of events.
func (r *Reporter) Set(cause string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		delete(r.causes, cause)
	} else {
		r.causes[cause] = sanitise(err.Error())
	}
	r.report()
}

// report tells the host what has changed. It runs under the lock, so that events arrive in the order of their causes.
func (r *Reporter) report() {
	text := r.text()
	if r.host == nil || text == r.reported {
		return
	}
	r.reported = text
	event := componentstatus.NewEvent(componentstatus.StatusOK)
	if text != "" {
		event = componentstatus.NewRecoverableErrorEvent(errors.New(text))
	}
	componentstatus.ReportStatus(r.host, event)
}

func (r *Reporter) text() string {
	shown := selected(slices.Sorted(maps.Keys(r.causes)))
	parts := make([]string, 0, len(shown)+1)
	for _, cause := range shown {
		parts = append(parts, cause+": "+r.causes[cause])
	}
	if more := len(r.causes) - len(shown); more > 0 {
		parts = append(parts, "and "+strconv.Itoa(more)+" more")
	}
	return strings.Join(parts, "; ")
}

// selected is the causes to spell out, of those given in order: the first of each kind, then the second, and so on.
func selected(causes []string) []string {
	if len(causes) <= maxCauses {
		return causes
	}
	rank := make(map[string]int, len(causes)) // which of its kind a cause is
	kinds := map[string]int{}
	for _, cause := range causes {
		kind, _, _ := strings.Cut(cause, " ")
		rank[cause] = kinds[kind]
		kinds[kind]++
	}
	slices.SortStableFunc(causes, func(a, b string) int { return rank[a] - rank[b] })
	causes = causes[:maxCauses]
	slices.Sort(causes)
	return causes
}

func sanitise(text string) string {
	text = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(text, "?"))
	if len(text) <= maxText {
		return text
	}
	const ellipsis = "…"
	return strings.ToValidUTF8(text[:maxText-len(ellipsis)], "") + ellipsis
}
