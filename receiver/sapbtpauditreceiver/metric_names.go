// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import "sync"

// maxNames bounds the subaccounts that have metrics of their own, because each of them costs the metrics backend several
// series. It stays below the limit from which on the SDK itself throws series together, those of present subaccounts too.
const maxNames = 100

// metricNames gives subaccounts their names in metrics. Beyond a number of them all further ones share one. A name once given
// counts for ever, since the series of a subaccount that has vanished stay.
type metricNames struct {
	mu    sync.Mutex
	given map[string]struct{}
}

func (n *metricNames) of(id string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, known := n.given[id]; known {
		return id
	}
	if len(n.given) >= maxNames {
		return "other"
	}
	n.given[id] = struct{}{}
	return id
}
