// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.uber.org/zap"
)

// maxNotice is how long before its end the expiry of a certificate is warned of at the earliest. A shorter-lived one is
// warned of when a fifth of its life is left, since that is when whatever renews it should have done so.
const maxNotice = 3 * 24 * time.Hour

// expiry is when the last of a subaccount's credentials expires and from when that is warned of; zero where one does not
// expire, or where its end is not known.
type expiry struct{ notice, end time.Time }

func expiryOf(credentials []*credential) (last expiry) {
	for _, c := range credentials {
		valid := c.validity()
		switch {
		case valid.to.IsZero():
			return expiry{}
		case valid.to.After(last.end):
			last = expiry{notice: valid.to.Add(-min(maxNotice, valid.to.Sub(valid.from)/5)), end: valid.to}
		}
	}
	return last
}

// lastEnd is when the last of the certificates expires; zero without certificates.
func lastEnd(credentials []*credential) (last time.Time) {
	for _, c := range credentials {
		if end := c.validity().to; end.After(last) {
			last = end
		}
	}
	return last
}

// validity is the time in which a certificate is valid; zero where there is none, or its time is not known.
type validity struct{ from, to time.Time }

func (c *credential) validity() validity {
	if c.pair != nil {
		return c.pair.validity()
	}
	if valid := validityOf(c.key.CertPEM); !valid.to.IsZero() {
		return valid
	}
	return validity{to: c.key.NotAfter}
}

func validityOf(certificate configopaque.String) validity {
	for rest := []byte(certificate); ; {
		var block *pem.Block
		switch block, rest = pem.Decode(rest); {
		case block == nil:
			return validity{}
		case block.Type == "CERTIFICATE":
			leaf, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return validity{}
			}
			return validity{leaf.NotBefore, leaf.NotAfter}
		}
	}
}

// problem is what there is to say at a moment; nil if nothing.
func (e expiry) problem(now time.Time) error {
	switch end := e.end.UTC().Format(time.RFC3339); {
	case e.end.IsZero() || now.Before(e.notice):
		return nil
	case now.Before(e.end):
		return fmt.Errorf("the client certificate expires at %s; renew it, reading stops then", end)
	default:
		return fmt.Errorf("the client certificate has expired at %s; renew it", end)
	}
}

// watchExpiry warns once when the credentials are about to expire, and again when they have.
func (s *subaccount) watchExpiry() {
	err := expiryOf(s.connection.Load().credentials).problem(time.Now())
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == s.expiryProblem {
		return
	}
	s.expiryProblem = text
	s.status.Set(s.cause("certificate"), err)
	if err != nil {
		s.logger.Warn("No credential of the subaccount lasts longer", append(labels(s), zap.Error(err))...)
	}
}
