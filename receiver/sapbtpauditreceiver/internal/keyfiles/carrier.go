// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package keyfiles

import (
	"crypto/sha256"
	"slices"
	"time"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// carrier is what is known of one path.
type carrier struct {
	seen    look
	digest  [sha256.Size]byte // of what the keys were read from
	keys    []servicekey.Key
	changed time.Time // when the files were changed that gave the keys
	problem error
}

// read brings the carrier up to date. It looks at the contents if asked to, or
// where size and times do not tell enough, and loads what is not as it was. A
// path with a problem is always loaded: its cause may lie outside of the file.
func (c *carrier) read(path string, set *Settings, contents bool) {
	now, err := lookAt(path)
	if err == nil && c.problem == nil && !contents && c.seen.settled && now.same(c.seen) {
		return
	}
	// Before loading: a change in between then costs one more look, and is not missed.
	digest, digestErr := now.digest()
	isKnown := err == nil && digestErr == nil && c.problem == nil && digest == c.digest
	c.seen, c.digest = now, digest
	if isKnown {
		c.changed = now.changed
		return
	}
	keys, problem := set.Load(path)
	if problem != nil {
		keys = withMissing(keys, c.keys, set.Identity)
	}
	if problem == nil || c.changed.IsZero() {
		c.changed = now.changed
	}
	c.keys, c.problem = keys, problem
}

// withMissing adds to the keys that could be read the earlier ones of sources
// that are not among them, for one of these may be what could not be read.
func withMissing(keys, earlier []servicekey.Key, identity func(servicekey.Key) string) []servicekey.Key {
	var missing []servicekey.Key
	for _, key := range earlier {
		id := identity(key)
		hasID := func(k servicekey.Key) bool { return identity(k) == id }
		if !slices.ContainsFunc(keys, hasID) {
			missing = append(missing, key)
		}
	}
	return slices.Concat(keys, missing)
}
