// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package httpcall

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"strings"
)

// explainTLS fills e if err comes from the TLS handshake or from an alert that the server sent right after it.
func explainTLS(e *Error, err error, handshakeFailed bool) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		alert        *net.OpError
	)
	switch {
	case errors.As(err, &verification):
		e.What, e.Hint = explainVerification(verification.Err)
	case errors.Is(err, http.ErrSchemeMismatch), errors.As(err, &record):
		e.What = "the server does not speak TLS on this port"
		e.Hint = "check the scheme and port of the configured address"
	case errors.As(err, &alert) && alert.Op == "remote error":
		// With TLS 1.3 a refused client certificate is only told after the client thinks the handshake done.
		e.What, e.Hint = explainAlert(alert.Err)
	case handshakeFailed && cut(err):
		e.What = "the connection was reset during the TLS handshake"
		e.Hint = "the server may want a client certificate, or something in between blocks the connection"
	case handshakeFailed:
		e.What = "the TLS handshake failed"
		e.Hint = "check the tls section: versions, cipher suites, and that the client certificate and key can be read and belong together"
	default:
		return false
	}
	e.Kind = KindTLS
	return true
}

// explainVerification explains why this side does not trust the server's certificate.
func explainVerification(err error) (what, hint string) {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
	)
	switch {
	case errors.As(err, &authority):
		return "the server's certificate is signed by an unknown authority",
			"set tls.ca_file to the right CA; a proxy that inspects TLS may have put in its own certificate"
	case errors.As(err, &host):
		return "the server's certificate is for another host",
			"check the host in the configured address, or set tls.server_name_override"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "the server's certificate has expired or is not yet valid",
			"check this machine's clock, then the server's certificate"
	}
	return "the server's certificate cannot be verified", "check tls.ca_file and what a proxy in between does"
}

// explainAlert explains why the server ended the handshake. The texts are the fixed ones of crypto/tls for alert numbers;
// the alerts' type is not exported.
func explainAlert(alert error) (what, hint string) {
	const newCert = "renew the client certificate, or check that it belongs to these credentials"
	text := alert.Error()
	for _, a := range []struct{ mark, what, hint string }{
		{
			"certificate required", "the server requires a client certificate",
			"set tls.cert_file and tls.key_file (or cert_pem and key_pem)",
		},
		{"expired certificate", "the server says that the client certificate has expired", newCert},
		{"revoked certificate", "the server says that the client certificate is revoked", newCert},
		{"unknown certificate authority", "the server does not know the authority that signed the client certificate", newCert},
		{"bad certificate", "the server refused the client certificate", newCert},
		{"unknown certificate", "the server refused the client certificate", newCert},
		{"unsupported certificate", "the server refused the client certificate", newCert},
		{"protocol version", "the server does not support the TLS versions offered", "check tls.min_version and tls.max_version"},
		{
			"handshake failure", "the server refused the TLS handshake",
			"the server may want a client certificate, or other cipher suites",
		},
		{"unrecognized name", "the server does not know this host name", "check the host in the configured address"},
	} {
		if strings.Contains(text, a.mark) {
			return a.what, a.hint
		}
	}
	return "the server ended the TLS handshake", "the server may want a client certificate"
}
