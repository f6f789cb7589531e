// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the programs as they are delivered: bin/otelcol-audit reads from bin/simulator, is killed at random
// moments, and the simulator's ledger says what must have arrived.
//
// Environment variables that change the tests:
//
//	E2E_BIN              folder of the programs; default bin in the module's root, which make build fills
//	E2E_KILLS            how often to kill the Collector; default a dozen, thousands for a night
//	E2E_SEED             seed of all random moments; default the current time, always printed
//	E2E_MANY             subaccounts of one receiver; default 60, the bar is for 500
//	E2E_BACKFILL         events of the backfill whose peak memory is measured; default 50000, the bar is for 1000000
//	E2E_KILLED_BACKFILL  events of the backfill that is killed in the middle; default 20000, the bar is for 200000
package e2e
