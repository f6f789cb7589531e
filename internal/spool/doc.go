// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package spool is a write-ahead spool over the Collector's storage clients, for sources that hand out each batch only
// once: what came over the wire is committed here, raw, before anything looks at it, and is deleted only after it was
// delivered.
//
//	reserve space → (read from the source) → commit → Next → (deliver) → Delete
//
// # Layout
//
// The interface of a storage client promises neither atomic batches nor durability nor a listing, and file_storage maps
// a whole file into memory. So the spool
//
//   - is cut into segments, each a storage client of its own (a file of its own in file_storage) of about
//     [DefaultSegmentBytes]. Only the segment being written and the ones being read are open: the process's memory
//     does not grow with the backlog, and neither does the time to start. An emptied segment is used again;
//   - keeps in each segment a head, which says which sequence numbers may occur in it. The upper bound is written ahead
//     in blocks, so a commit costs one write, and no list of entries has to change together with the entries. A note
//     beside it says what was deleted: what is neither there nor deleted is missing, and counted;
//   - keeps in the caller's client a manifest: which segments are in use, oldest first, and what the sealed ones held.
//     It is written before the first segment is. If it is lost, that is said and counted, and it is rebuilt from the
//     heads; if a segment is lost, that is said and counted.
//
// Beside an entry there may be a mark, see [Mark].
//
// Every write leaves a state from which the spool opens with nothing lost, whichever prefix of the writes arrived:
// head, then manifest (an empty one before the first head), then entries, and a deletion last. The manifest bounds the sequence numbers of all heads, so
// either is enough to find the entries if the other is damaged.
//
// # Entries
//
// A stored entry is text (valid UTF-8 without NUL, whatever the batch held), so it may live in every storage:
//
//	1 <checksum> <header as JSON>\n<body>
//
// The checksum (SHA-256, cut to 128 bits) covers header and body. A body that is not clean UTF-8 is base64. With a
// [Keyring] the body is sealed with AES-256-GCM; the header, which names the key and the sequence number, is the
// associated data, so entries cannot be swapped.
package spool
