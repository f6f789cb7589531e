// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

// Package servicekey reads the credentials of the SAP audit log retrieval API
// out of every carrier in which SAP hands them out: a service key as the
// cockpit or the CF CLI prints it, VCAP_SERVICES, the Secrets of the SAP BTP
// service operator in their layouts, and Kyma's audit log Secret.
//
// Its errors name fields, never values: what is read here is secret.
package servicekey

import (
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
)

// AuthType says how a client proves to the token service who it is.
type AuthType string

const (
	// ClientSecret sends the client secret with the token request.
	ClientSecret AuthType = "client_secret"
	// MutualTLS presents a client certificate in the TLS handshake and sends no secret.
	MutualTLS AuthType = "mtls"
)

// Key is what the audit log retrieval API needs to know of one service key
// (SAP-docs 64e99bb for its shape). Keys are comparable: two are equal when
// they hold the same credentials.
type Key struct {
	// Endpoint is the base URL of the audit log API (field url), without a
	// trailing slash.
	Endpoint string
	// TokenURL is the full URL of the token request, /oauth/token included:
	// uaa.url for a secret, uaa.certurl for a certificate.
	TokenURL string
	// ClientID is uaa.clientid; it contains "!" and "|".
	ClientID string
	// ClientSecret is uaa.clientsecret; empty for MutualTLS.
	ClientSecret configopaque.String
	// CertPEM is uaa.certificate, the client certificate with its chain; empty for ClientSecret.
	CertPEM configopaque.String
	// KeyPEM is uaa.key. It is empty for ClientSecret, and for a self-managed
	// certificate, whose private key SAP never had: then the pair has to come
	// from elsewhere.
	KeyPEM configopaque.String
	// NotAfter is when the certificate expires; zero without one.
	NotAfter time.Time
	// TenantID identifies the subaccount whose events the key reads. It is the
	// tenant of its records; empty where the carrier does not say it (Kyma).
	TenantID string
	// Name is the identity zone, the subaccount's subdomain, for people to
	// read; empty where the carrier does not say it (Kyma).
	Name string
	// AuthType says which of the credentials are there.
	AuthType AuthType
}
