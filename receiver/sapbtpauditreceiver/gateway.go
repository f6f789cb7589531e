// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"maps"
	"slices"

	"go.uber.org/zap"
)

// gateways tell keys apart that name no tenant and have their tokens from one host that is not SAP's: they may be those of one
// subaccount or of many, and a key that is wrongly taken for one more credential is never read. So each is a source of its own
// until its token says that it is of the same subaccount as another one. Only the first goes by the name of the host, and
// has the state that goes by it.
type gateways struct {
	owners map[string]string // account by host
	apart  map[string]string // identity by account, of the others
}

func newGateways() gateways { return gateways{owners: map[string]string{}, apart: map[string]string{}} }

// behind is the identity of an account behind a host.
func (g *gateways) behind(host, account string, learned map[string]string) string {
	own, apart := g.apart[account]
	if tenant := learned[account]; !apart || tenant != "" && tenant == learned[g.owners[host]] {
		return host
	}
	return own
}

// sharing is the identity of another account of the same subaccount that is apart; "" if there is none.
func (g *gateways) sharing(account string, learned map[string]string) string {
	for _, other := range slices.Sorted(maps.Keys(g.apart)) {
		if other != account && learned[other] == learned[account] {
			return g.apart[other]
		}
	}
	return ""
}

// divide decides who of the accounts behind a host goes by its name. One that is alone does, as before there were others, and
// so does, of a state from before they were told apart, the one with which it was read as far as its token has told.
func (n *names) divide(host string, accounts []string) {
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	n.recallGateway(host, accounts)
	n.mu.Lock()
	var free []string
	for _, account := range accounts {
		if _, apart := n.apart[account]; !apart {
			free = append(free, account)
		}
	}
	owner := n.owners[host]
	if len(free) > 0 && (owner == "" || len(accounts) == 1) {
		owner = free[0]
		if i := slices.IndexFunc(free, func(account string) bool { return n.learned[account] != "" }); i >= 0 {
			owner = free[i]
		}
	}
	changed := owner != n.owners[host]
	n.owners[host] = owner
	var apart []string
	for _, account := range free {
		if account != owner && (n.learned[account] == "" || n.learned[account] != n.learned[owner]) {
			n.apart[account] = account
			apart = append(apart, account)
		}
	}
	n.mu.Unlock()
	if changed {
		n.note(context.Background(), noteOwner(host), owner)
	}
	for _, account := range apart {
		n.note(context.Background(), noteApart(account), account)
		n.logger.Info("Several keys that name no tenant have one token host; each is read as a subaccount of its own unless its token says "+
			"that it is of the same as another", zap.String("subaccount", account))
	}
}

// recallGateway takes up what was decided before a restart.
func (n *names) recallGateway(host string, accounts []string) {
	n.mu.Lock()
	known := n.owners[host]
	n.mu.Unlock()
	if known == "" {
		known = n.noted(noteOwner(host))
		n.recall(known)
	}
	apart := map[string]string{}
	for _, account := range accounts {
		if own := n.noted(noteApart(account)); own != "" {
			apart[account] = own
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.owners[host] = known
	for account, own := range apart {
		if _, known := n.apart[account]; !known {
			n.apart[account] = own
		}
	}
}

// isApart reports whether an identity is that of a key which must not go on with the state of its host.
func (n *names) isApart(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(slices.Collect(maps.Values(n.apart)), id)
}

// unsure reports whether nobody knows which subaccount the state of a host is of.
func (n *names) unsure(host string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.learned[n.owners[host]] == ""
}

// isPresent reports whether there are keys with this identity.
func (n *names) isPresent(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, present := n.present[id]
	return present
}

func noteOwner(host string) string    { return "owner of " + host }
func noteApart(account string) string { return "apart " + account }
func noteState(id string) string      { return "state of " + id }
