// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package audit holds what the answers of all receivers have in common: their names, and how an address of a client and
// a name that stands for nobody are told.
package audit

// The attributes by which every audit event says who did what to whom, how it went and from where. They are those of
// OpenTelemetry's draft for audit logs; TargetOwner and ActorIDP are this project's.
const (
	ActorID       = "audit.actor.id"
	ActorIDP      = "audit.actor.idp"
	ActorType     = "audit.actor.type"
	Action        = "audit.action"
	TargetType    = "audit.target.type"
	TargetID      = "audit.target.id"
	TargetOwner   = "audit.target.owner"
	Outcome       = "audit.outcome"
	ClientAddress = "client.address"
	ClientPort    = "client.port"
)

// The values of ActorType.
const (
	User    = "user"
	Service = "service"
	System  = "system"
)

// The values of Outcome.
const (
	Success = "success"
	Failure = "failure"
	Unknown = "unknown"
)
