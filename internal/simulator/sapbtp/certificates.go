// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"net"
	"sync"
	"time"
)

// authority is the CA behind the listeners' and the clients' certificates. It is made when it is first needed.
type authority struct {
	once   sync.Once
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	pem    []byte
	serial big.Int
	mu     sync.Mutex
	over   map[string]bool // serial numbers of certificates that have expired before their time
}

const authorityLife = 10 * 365 * 24 * time.Hour

// ClientCertificate is a client certificate with its key.
type ClientCertificate struct {
	CertPEM  []byte // the certificate and its chain
	KeyPEM   []byte
	NotAfter time.Time
	TLS      tls.Certificate
}

func (s *Simulator) authority() *authority {
	a := &s.ca
	a.once.Do(func() {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		must(err)
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Simulated Cloud Root CA", Organization: []string{"Simulator"}},
			NotBefore: s.now().Add(-time.Hour), NotAfter: s.now().Add(authorityLife),
			IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		must(err)
		a.cert, err = x509.ParseCertificate(der)
		must(err)
		a.key, a.pem = key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		a.serial.SetInt64(1)
	})
	return a
}

// CACertificate gives the PEM of the CA that signed the listeners' certificates.
func (s *Simulator) CACertificate() []byte { return s.authority().pem }

// IssueClientCert gives a client certificate for a subaccount, valid from now on for the given time. It panics where there
// is no such subaccount.
func (s *Simulator) IssueClientCert(tenantID string, lifetime time.Duration) ClientCertificate {
	t := s.mustTenant(tenantID)
	return s.authority().issue(&x509.Certificate{
		Subject:   pkix.Name{CommonName: t.instance, Locality: []string{t.subdomain}, OrganizationalUnit: []string{t.id}, Country: []string{"DE"}},
		NotBefore: s.now().Add(-time.Second), NotAfter: s.now().Add(lifetime),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
}

// ExpireClientCert makes a client certificate one that has expired, whatever the clock says.
func (s *Simulator) ExpireClientCert(certificate ClientCertificate) {
	a := s.authority()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over == nil {
		a.over = map[string]bool{}
	}
	a.over[certificate.TLS.Leaf.SerialNumber.String()] = true
}

func (a *authority) expired(leaf *x509.Certificate) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.over[leaf.SerialNumber.String()]
}

// serverCertificate gives the certificate of the listeners.
func (s *Simulator) serverCertificate() tls.Certificate {
	return s.authority().issue(&x509.Certificate{
		Subject:   pkix.Name{CommonName: "localhost"},
		NotBefore: s.now().Add(-time.Hour), NotAfter: s.now().Add(authorityLife / 2),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:    []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}).TLS
}

func (a *authority) issue(template *x509.Certificate) ClientCertificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	a.mu.Lock()
	template.SerialNumber = new(big.Int).Set(a.serial.Add(&a.serial, big.NewInt(1)))
	a.mu.Unlock()
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	must(err)
	keyDER, err := x509.MarshalECPrivateKey(key)
	must(err)
	out := ClientCertificate{
		CertPEM:  append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), a.pem...),
		KeyPEM:   pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}),
		NotAfter: template.NotAfter,
	}
	out.TLS, err = tls.X509KeyPair(out.CertPEM, out.KeyPEM)
	must(err)
	return out
}

var errCertificate = errors.New("certificate is not from the simulator's CA, or not valid now")

// verify tells whether a client certificate would pass the handshake.
func (s *Simulator) verify(leaf *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AddCert(s.authority().cert)
	_, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, CurrentTime: s.now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil || s.authority().expired(leaf) {
		return errCertificate
	}
	return nil
}

// certified tells whether the certificate of the connection belongs to the client that asks.
func (s *Simulator) certified(x *exchange) bool {
	if x.req.TLS == nil || len(x.req.TLS.PeerCertificates) == 0 {
		return false
	}
	leaf := x.req.TLS.PeerCertificates[0]
	// A connection that is kept alive outlives the check of its handshake.
	return s.verify(leaf) == nil && leaf.Subject.CommonName == x.tenant.instance
}

// must is for steps that fail only where the machine has no randomness or the template above is wrong.
func must(err error) {
	if err != nil {
		panic("sapbtp: " + err.Error())
	}
}
