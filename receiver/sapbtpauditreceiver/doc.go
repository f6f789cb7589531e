// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml
//go:generate go run ../../internal/catalogue -root ../..

// Package sapbtpauditreceiver reads the audit events of SAP BTP subaccounts through the Audit Log Retrieval API v2 and
// hands them to the pipeline as log records, each once, however late the API shows them.
package sapbtpauditreceiver
