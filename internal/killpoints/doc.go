// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package killpoints kills processes with SIGKILL at every point at which that could lose or repeat events, starts them again
// on the same files, and compares what the simulated services have handed out with what has arrived.
//
// The test binary runs itself as the process: one receiver, with the real file_storage and a sink that writes to a file.
// Storage and sink are wrapped, so that the process can kill itself before, during or after its nth write of a kind; on the
// network the simulated service kills it. Each test goes through n = 0, 1, 2 … until a life ends without being killed. The
// tests are named after the rows of the crash matrix:
//
//	saas_security                                    sap_btp_audit
//	S1   space reserved, intent written              B1   state loaded, nothing sent
//	S2   request sent, server has not dequeued       B2   token request in flight
//	S3   dequeued, no byte received                  B3   page request sent
//	S4   half of the body received                   B4   half of a page received
//	S5   body in memory, before its commit           B5   page parsed, not consumed
//	S6   inside the commit                           B6   inside ConsumeLogs, sink has it
//	S7   committed, not parsed                       B7   consumed, page checkpoint open
//	S8   inside ConsumeLogs, sink has it             B8   page checkpoint committed
//	S9   consumed, delete open                       B9   last page done, window not closed
//	S10  delete committed                            B10  window closed, watermark open
//	S11  second kill during replay                   B12  several windows at a time
//	S12  spool full, sink down
//	S13  a record is moved into the quarantine
//	S14  401, token renewed
//	S15  key of the spool changed
//	S16  file_storage compacts at start              B16  the same
//	S17  shutdown during a long poll                 B17  shutdown during a page
//	S18  two processes, one after the other          B18  the same
//
// What is not here (bucket eviction, refused handles, tokens that end between pages, migrations) is tested within the
// receiver, by crashes of a simulated storage.
//
// Environment variables that change the tests:
//
//	E2E_STRIDE  distance of the pairs of points that are tried; default 4, and 1 tries them all
//	E2E_KILLS   how often to kill at a random moment; default a dozen
//	E2E_SEED    seed of all random moments; default the current time, always printed
package killpoints
