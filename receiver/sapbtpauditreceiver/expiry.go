// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// maxNotice is how long before its end the expiry of a certificate is warned of at the earliest. A shorter-lived one is
// warned of when a fifth of its life is left, since that is when whatever renews it should have done so.
const maxNotice = 3 * 24 * time.Hour

// expiry is when the last of a subaccount's credentials expires and from when that is warned of; zero where one does not
// expire, or where its end is not known.
type expiry struct{ notice, end time.Time }

func expiryOf(credentials []*credential) (last expiry) {
	for _, c := range credentials {
		end := c.key.NotAfter
		switch {
		case end.IsZero():
			return expiry{}
		case end.After(last.end):
			last = expiry{notice: end.Add(-min(maxNotice, life(c.key)/5)), end: end}
		}
	}
	return last
}

// life is for how long the certificate of a key is valid in all.
func life(key servicekey.Key) time.Duration {
	if block, _ := pem.Decode([]byte(key.CertPEM)); block != nil {
		if leaf, err := x509.ParseCertificate(block.Bytes); err == nil {
			return leaf.NotAfter.Sub(leaf.NotBefore)
		}
	}
	return maxNotice
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
	err := s.connection.Load().expiry.problem(time.Now())
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
