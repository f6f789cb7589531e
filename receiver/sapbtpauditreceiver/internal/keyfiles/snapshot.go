// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// Snapshot is the set of keys at one time. It is not to be changed.
type Snapshot struct {
	// Sources are the subaccounts for which there are keys, sorted by ID.
	Sources []Source
	// Problems say of a path, or of a pattern, why it gives no keys or not all.
	// Those of a path or pattern without any file are fs.ErrNotExist. They hold
	// nothing of the files' contents.
	Problems map[string]error
}

// Source is one subaccount.
type Source struct {
	// ID is what Settings.Identity returned for each of its keys.
	ID string
	// Credentials are all different, and in the order in which to try them:
	// certificates, the one that expires last before the others, then secrets,
	// the one whose file was changed last before the others, and at the end the
	// certificates that have expired, by this machine's clock, which may be
	// wrong. There is at least one.
	Credentials []Credential
}

// Credential is a key and where it lies. Credentials are comparable.
type Credential struct {
	// Path is the match of a pattern, a file or a directory.
	Path string
	Key  servicekey.Key
}

// dated is a credential with the time its file was changed, and whether its
// certificate has expired.
type dated struct {
	Credential
	changed time.Time
	expired bool
}

// byUse orders credentials as they are to be tried. Certificates come before
// secrets because a subaccount that has both is moving to certificates.
func byUse(a, b dated) int {
	if a.expired != b.expired {
		if a.expired {
			return 1
		}
		return -1
	}
	return cmp.Or(
		b.Key.NotAfter.Compare(a.Key.NotAfter),
		b.changed.Compare(a.changed),
		cmp.Compare(a.Path, b.Path),
	)
}

// snapshot returns what was read last.
func (w *Watcher) snapshot() Snapshot {
	if w.set.Survey != nil {
		var all []servicekey.Key
		for _, c := range w.carriers {
			all = append(all, c.keys...)
		}
		w.set.Survey(all)
	}
	now := time.Now()
	found := map[string][]dated{}
	for path, c := range w.carriers {
		for _, key := range c.keys {
			id := w.set.Identity(key)
			found[id] = append(found[id], dated{
				Credential: Credential{path, key}, changed: c.changed,
				expired: !key.NotAfter.IsZero() && key.NotAfter.Before(now),
			})
		}
	}
	s := Snapshot{Problems: w.problems}
	for _, id := range slices.Sorted(maps.Keys(found)) {
		s.Sources = append(s.Sources, Source{ID: id, Credentials: inOrder(found[id])})
	}
	return s
}

// inOrder sorts credentials and leaves out the keys that are there already, as
// when a file is reached in two ways.
func inOrder(all []dated) []Credential {
	slices.SortStableFunc(all, byUse)
	var credentials []Credential
	for _, d := range all {
		known := func(c Credential) bool { return c.Key == d.Key }
		if !slices.ContainsFunc(credentials, known) {
			credentials = append(credentials, d.Credential)
		}
	}
	return credentials
}

func (s Snapshot) equal(other Snapshot) bool {
	return slices.EqualFunc(s.Sources, other.Sources, Source.equal) &&
		maps.EqualFunc(s.Problems, other.Problems, sameError)
}

func (s Source) equal(other Source) bool {
	return s.ID == other.ID && slices.Equal(s.Credentials, other.Credentials)
}

// sameError reports whether two errors say the same; nil is like no other.
func sameError(a, b error) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.Error() == b.Error()
}
