// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import (
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
)

var storageID = component.MustNewID("file_storage")

// host has extensions and remembers the status.
type host struct {
	extensions map[component.ID]component.Component

	mu     sync.Mutex
	status []*componentstatus.Event
}

func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

func (h *host) Report(ev *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.status = append(h.status, ev)
}

// troubles is the text of the latest status, "" if it is OK.
func (h *host) troubles() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.status) == 0 || h.status[len(h.status)-1].Err() == nil {
		return ""
	}
	return h.status[len(h.status)-1].Err().Error()
}

// history is the texts of all statuses so far.
func (h *host) history() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var texts strings.Builder
	for _, ev := range h.status {
		if ev.Err() != nil {
			texts.WriteString(ev.Err().Error() + "\n")
		}
	}
	return texts.String()
}
