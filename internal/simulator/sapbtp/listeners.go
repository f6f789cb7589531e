// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// StartOptions says which real listeners to open. The zero value opens plain http on a free port of 127.0.0.1.
type StartOptions struct {
	// Listen is the address of the plain http listener. Default "127.0.0.1:0".
	Listen string
	// TLS opens a second listener for API and UAA with a certificate of the simulator's CA, on a free port of 127.0.0.1.
	TLS bool
	// MutualTLS opens the certificate host of UAA. A handshake without a good client certificate is reset; with TLS 1.3 the
	// client's own handshake is over by then, so that it sees a reset or a broken pipe at its first read or write.
	MutualTLS bool
	// Elsewhere opens a listener that has nothing to do with SAP, for redirects.
	Elsewhere bool
	// Handler wraps the handler of the plain listener, for instance to add pages of a program.
	Handler func(http.Handler) http.Handler
}

// Listeners is the open listeners. The URLs of those that were not asked for are empty.
type Listeners struct {
	URL          string // http, API and UAA
	TLSURL       string // https, API and UAA
	CertURL      string // https, UAA for client certificates
	ElsewhereURL string

	servers []*http.Server
	done    sync.WaitGroup
}

// Start opens real listeners. From then on Subaccount and its service keys name their URLs. Close ends them.
func (s *Simulator) Start(o StartOptions) (*Listeners, error) {
	l := &Listeners{}
	if err := s.open(l, o); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s.listeners.Store(l)
	return l, nil
}

func (s *Simulator) open(l *Listeners, o StartOptions) error {
	address := o.Listen
	if address == "" {
		address = "127.0.0.1:0"
	}
	front := s.at(doorFront)
	if o.Handler != nil {
		front = o.Handler(front)
	}
	var err error
	if l.URL, err = l.listen(address, front, nil); err != nil {
		return err
	}
	const local = "127.0.0.1:0"
	if o.TLS {
		if l.TLSURL, err = l.listen(local, s.at(doorFront), s.serverTLS()); err != nil {
			return err
		}
	}
	if o.MutualTLS {
		if l.CertURL, err = l.listen(local, s.at(doorCert), s.mutualTLS()); err != nil {
			return err
		}
	}
	if o.Elsewhere {
		if l.ElsewhereURL, err = l.listen(local, s.at(doorElsewhere), nil); err != nil {
			return err
		}
	}
	return nil
}

func (l *Listeners) listen(address string, h http.Handler, config *tls.Config) (string, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(context.Background(), "tcp", address)
	if err != nil {
		return "", err
	}
	url := "http://" + listener.Addr().String()
	if config != nil {
		url = "https://" + listener.Addr().String()
		listener = tls.NewListener(listener, config)
	}
	// Without HTTP/2, so that a broken connection is one of the whole connection.
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: discardLog, TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){}}
	l.servers = append(l.servers, server)
	l.done.Go(func() { _ = server.Serve(listener) })
	return url, nil
}

// Close ends the listeners and all their connections.
func (l *Listeners) Close() error {
	var errs []error
	for _, server := range l.servers {
		errs = append(errs, server.Close())
	}
	l.done.Wait()
	return errors.Join(errs...)
}

func (s *Simulator) serverTLS() *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{s.serverCertificate()}}
}

// mutualTLS asks for a client certificate and breaks the connection where none that is good comes, as SAP's load balancer
// does, in place of sending an alert.
func (s *Simulator) mutualTLS() *tls.Config {
	base := s.serverTLS()
	base.ClientAuth = tls.RequestClientCert
	base.SessionTicketsDisabled = true
	base.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		config := base.Clone()
		config.GetConfigForClient = nil
		config.VerifyConnection = func(state tls.ConnectionState) error {
			return s.checkPeer(state, hello.Conn)
		}
		return config, nil
	}
	return base
}

func (s *Simulator) checkPeer(state tls.ConnectionState, conn net.Conn) error {
	if len(state.PeerCertificates) > 0 && s.verify(state.PeerCertificates[0]) == nil {
		return nil
	}
	resetConn(conn)
	return errCertificate
}

// discardLog swallows what net/http says about the connections that the simulator breaks.
var discardLog = log.New(io.Discard, "", 0)
