// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/durable"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/keyfiles"
)

// gateways tell keys apart that name no tenant and have their tokens from one host that is not SAP's: they may be those of one
// subaccount or of many, and a key that is wrongly taken for one more credential is never read. So each is a source of its own
// until its token says that it is of the same subaccount as another one. Only the first goes by the name of the host, and
// has the state that goes by it.
type gateways struct {
	owners map[string]string // account by host
	apart  map[string]string // identity by account, of the others

	settled  map[string]struct{} // accounts that are known to be apart or not
	unread   map[string]error    // accounts of which storage does not say that yet, and why
	doubtful map[string]struct{} // accounts that are apart because of damage
	said     map[string]struct{} // notes that are damaged
}

func newGateways() gateways {
	return gateways{
		owners: map[string]string{}, apart: map[string]string{}, settled: map[string]struct{}{},
		unread: map[string]error{}, doubtful: map[string]struct{}{}, said: map[string]struct{}{},
	}
}

// behind is the identity of an account behind a host.
func (g *gateways) behind(host, account string, learned map[string]string) string {
	own, apart := g.apart[account]
	if g.unread[account] != nil {
		return account
	}
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
// so does, of a state from before they were told apart, the one with which it was read as far as its token has told. What
// storage does not give is asked for again. Where a note is damaged, nothing is decided for good: an account of which nobody
// knows that it goes by the host's name is a source of its own and reads everything, until its token tells.
func (n *names) divide(host string, accounts []string) {
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	damaged, err := n.recallGateway(host, accounts)
	n.mu.Lock()
	var free []string
	for _, account := range accounts {
		delete(n.unread, account)
		_, apart := n.apart[account]
		_, settled := n.settled[account]
		switch {
		case err != nil && !apart && !settled:
			n.unread[account] = err
		case !apart:
			free = append(free, account)
		}
	}
	if err != nil {
		n.mu.Unlock()
		return
	}
	owner := n.owners[host]
	if len(free) > 0 && (owner == "" || len(accounts) == 1) {
		owner = n.ownerOf(free, damaged)
	}
	changed := owner != n.owners[host] && !damaged
	n.owners[host] = owner
	var apart []string
	for _, account := range free {
		n.settled[account] = struct{}{}
		if account == owner || owner != "" && n.learned[account] != "" && n.learned[account] == n.learned[owner] {
			continue
		}
		n.apart[account] = account
		if damaged {
			n.doubtful[account] = struct{}{}
		} else {
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

// ownerOf is which of the accounts goes by the name of their host: the one whose token has told, or the first. Where notes are
// damaged it must be certain, and is "" otherwise.
func (n *names) ownerOf(free []string, damaged bool) (owner string) {
	for _, account := range free {
		switch tenant := n.learned[account]; {
		case tenant == "":
		case owner == "":
			owner = account
		case damaged && tenant != n.learned[owner]:
			return ""
		}
	}
	if owner == "" && !damaged {
		owner = free[0]
	}
	return owner
}

// recallGateway takes up what was decided before a restart. It reports whether the note of it is damaged; the error is for what
// storage does not give.
func (n *names) recallGateway(host string, accounts []string) (damaged bool, err error) {
	n.mu.Lock()
	known := n.owners[host]
	settled, apart := maps.Clone(n.settled), maps.Clone(n.apart)
	n.mu.Unlock()
	judge := func(note string, failed error) bool {
		switch {
		case failed == nil:
			return false
		case !errors.Is(failed, durable.ErrCorrupt):
			err = failed
			return false
		}
		n.sayDamaged(host, note)
		return true
	}
	if known == "" {
		owner, failed := n.noted(noteOwner(host))
		damaged = judge(noteOwner(host), failed)
		known = owner
		_ = n.recall(owner) // without it, nobody knows which subaccount the state of the host is of
	}
	recalled, lost := map[string]string{}, []string{}
	for _, account := range accounts {
		if _, done := settled[account]; done || apart[account] != "" {
			continue
		}
		own, failed := n.noted(noteApart(account))
		switch {
		case judge(noteApart(account), failed):
			lost = append(lost, account) // there is a note, so that it is apart
		case own != "":
			recalled[account] = own
		case known == "" && len(accounts) > 1: // one that is alone goes by the name of the host
			damaged = judge(noteOf(account), n.recall(account)) || damaged
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil {
		return damaged, err
	}
	n.owners[host] = known
	maps.Copy(n.apart, recalled)
	for _, account := range lost {
		n.doubtful[account] = struct{}{}
		own := ""
		if n.learned[account] != "" {
			own = n.sharing(account, n.learned)
		}
		if own == "" {
			own = account
		}
		n.apart[account] = own
	}
	return damaged, nil
}

func (n *names) sayDamaged(host, note string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, said := n.said[note]; said {
		return
	}
	n.said[note] = struct{}{}
	n.logger.Error("A note of which key without tenant goes by the name of its token host is damaged; where that is in doubt, a key is read "+
		"as a subaccount of its own, from the beginning, until its token tells", zap.String("host", host), zap.String("note", note))
}

// unreadable is why nobody knows yet what a source is; nil if that is known.
func (n *names) unreadable(source keyfiles.Source) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range source.Credentials {
		if err := n.unread[account(c.Key)]; c.Key.TenantID == "" && err != nil {
			return fmt.Errorf("reading which subaccount a key is of: %w", err)
		}
	}
	return nil
}

// isDoubtful reports whether damage hides what was read with this identity.
func (n *names) isDoubtful(id string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	_, doubtful := n.doubtful[id]
	return doubtful
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
