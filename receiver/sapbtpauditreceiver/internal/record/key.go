// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package record

import (
	"crypto/sha256"

	"github.com/otelcol-audit/otelcol-audit/internal/jsonlog"
)

// Key identifies an event. It is a digest of the whole record, so that a message_uuid that SAP or a writer uses twice
// never hides an event, and it does not depend on the order of members, on blanks between them, or on the case of
// message_uuid. The tenant is part of it as one of the record's members.
type Key [16]byte

// keyOf returns the Key of a record with the given normal message_uuid, and the memory it worked in for the next one.
func keyOf(n jsonlog.Node, uuid string, buf []byte) (Key, []byte) {
	buf = append(buf[:0], uuid...)
	buf = append(buf, 0)
	buf = n.AppendCanonical(buf, fieldUUID)
	sum := sha256.Sum256(buf)
	return Key(sum[:len(Key{})]), buf
}
