// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package sapbtp plays SAP BTP's Audit Log Retrieval API v2 and the token endpoint of UAA in front of it, as SAP's documents
// describe them (SAP-docs 30ece35, 7db3c9f), for one or many subaccounts, with a ledger of what exists, what was asked and
// what was served.
//
//	sim := sapbtp.New(sapbtp.Options{Seed: 1, Subaccounts: 1})
//	sub := sim.Subaccount(0)
//	sim.Generate(sub.Tenant, 2000, from, to)          // seeded records of all categories and producers
//	ids := sim.Add(sub.Tenant, sapbtp.Record{…})      // single records
//	client := &http.Client{Transport: sim.Transport()} // in memory: no sockets, fit for testing/synctest
//	listeners, err := sim.Start(sapbtp.StartOptions{}) // or real listeners: http, and TLS and mTLS if asked for
//	key := sub.ServiceKey(sapbtp.SecretKey)            // what a customer would hold
//	…
//	missing := sim.Ledger().Missing(deliveredIDs)
//
// What SAP leaves open is a choice in Readings; what goes wrong is a Script of Rules. A Simulator is also an http.Handler.
//
// Time comes from Options.Now (default time.Now), waiting is done with timers of the time package, and nothing runs outside
// of a request, so a Simulator lives inside a synctest bubble unchanged. Equal seeds give equal names, secrets and records.
package sapbtp
