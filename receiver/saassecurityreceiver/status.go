// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package saassecurityreceiver

import "errors"

// Causes of a troubled component status.
const (
	causeDamage           = "damage"
	causeDelivery         = "delivery"
	causeExpiry           = "expiry"
	causeGap              = "gap"
	causeLost             = "lost"
	causePath             = "path"
	causeQuarantine       = "quarantine"
	causeQuarantineDamage = "quarantine damage"
	causeReading          = "reading"
	causeReplay           = "replay"
	causeSpool            = "spool"
	causeStorage          = "storage"
	causeTerm             = "term"
)

// What they say.
var (
	errSpoolFull   = errors.New("the spool is full: reading has stopped; make the next component accept events, or raise spool::max_size_mib")
	errSpoolFills  = errors.New("the spool is over 80 % full; when it is full, reading stops")
	errCommit      = errors.New("the storage does not take what was read; reading waits until it works")
	errReplay      = errors.New("the spool cannot be read; delivery waits until the storage works")
	errForget      = errors.New("delivered events cannot be deleted from the spool; a restart would repeat them")
	errDamaged     = errors.New("damaged entries of the spool were put into the quarantine of the storage")
	errUnfinished  = errors.New("entries of the spool were put into the quarantine of the storage, because several runs in a row ended while each was processed")
	errRefused     = errors.New("the next component refuses some events for good; they are kept in the quarantine of the storage")
	errKept        = errors.New("events that the next component refused, or damaged entries of the spool, are kept in the quarantine of the storage")
	errBulkMissing = errors.New("the API does not know " + pathBulk + " any more: events are read one by one, which is slower; check endpoint and what stands before the API")
	errExpiryNear  = errors.New("reading is behind for more than 20 minutes; events that are not read within an hour are deleted by the vendor")
	errExpired     = errors.New("reading is behind for more than an hour; the vendor deletes events that were not read")
	errGap         = errors.New("some events may have expired unread; a gap record in the stream announces it")
	errGapUnsaved  = errors.New("some events may have expired unread, and the gap record that announces it cannot be stored yet")
	errMended      = errors.New("what the spool notes of itself was damaged and made anew from what was found; check the disk, entries may be missing")
	errMissing     = errors.New("entries are missing from the spool: its files are damaged or were replaced by older ones; they are lost, unless the storage kept a backup")
	errSpoolLost   = errors.New("a part of the spool is gone: the storage was emptied or recreated; what it held is lost, unless the storage kept a backup")
)
