// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package spool

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// Crockford's alphabet keeps the order of the bytes and has no letter that is taken for a digit.
var crockford = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// newID returns an identifier of 26 characters in the manner of a ULID: 48 bits of milliseconds, then 80 random bits.
// Identifiers of different milliseconds sort by time.
func newID(at time.Time) string {
	// A ULID is a number of 130 bits of which the two highest are zero; base32 works from the high end, so the 16 bytes
	// are shifted by two bits into 17.
	var id [17]byte
	ms := uint64(max(at.UnixMilli(), 0)) & (1<<48 - 1)
	binary.BigEndian.PutUint64(id[:8], ms<<16)
	_, _ = rand.Read(id[6:16]) // never fails, see crypto/rand
	for i := len(id) - 1; i > 0; i-- {
		id[i] = id[i]>>2 | id[i-1]<<6
	}
	id[0] >>= 2
	return crockford.EncodeToString(id[:])[:26]
}
