// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool -modfile=../../internal/tools/go.mod mdatagen metadata.yaml

// Package saassecurityreceiver reads the log events of Palo Alto Networks SaaS Security, which hands out each event once and
// forgets it, and keeps every event from the moment its bytes arrive until the next consumer has accepted it.
package saassecurityreceiver
