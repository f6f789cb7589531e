// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/config/configtls"
	"go.uber.org/zap"

	"github.com/otelcol-audit/otelcol-audit/internal/status"
	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

const (
	// certificateReload is how often the files are read again, unless reload_interval says otherwise: SAP's certificates
	// live from a day to a month.
	certificateReload = 30 * time.Second

	maxPairFile      = 1 << 20
	causeCertificate = "certificate files"
)

// pairFiles are the client certificate and the private key of the tls section. Both are read again every now and then and
// after each refusal. The Collector's own reloading would fail every handshake while they do not fit together, as when one
// is written before the other; here the pair before stays in use until they do, and the certificate's end is known.
type pairFiles struct {
	tls    configtls.ClientConfig
	status *status.Reporter
	logger *zap.Logger

	mu      sync.Mutex
	now     pair
	users   []func(pair) error
	looked  time.Time // zero if a look is due
	problem string
}

type pair struct {
	cert, key configopaque.String
	valid     validity
}

// newPairFiles returns nil if the tls section has no client certificate, or no key for it.
func newPairFiles(tls configtls.ClientConfig, reporter *status.Reporter, logger *zap.Logger) (*pairFiles, error) {
	f := &pairFiles{tls: tls, status: reporter, logger: logger, looked: time.Now()}
	if tls.CertFile == "" && tls.CertPem == "" || tls.KeyFile == "" && tls.KeyPem == "" {
		return nil, nil //nolint:nilnil // there is nothing to follow
	}
	if f.tls.ReloadInterval <= 0 {
		f.tls.ReloadInterval = certificateReload
	}
	var err error
	f.now, err = f.read()
	return f, err
}

// validity is when the certificate in use is valid.
func (f *pairFiles) validity() validity {
	f.look()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now.valid
}

// doubt makes the next use look at the files: what they hold may be newer than what was refused.
func (f *pairFiles) doubt() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked = time.Time{}
}

// look puts a changed pair into use, if it is time to look.
func (f *pairFiles) look() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if time.Since(f.looked) < f.tls.ReloadInterval {
		return
	}
	f.looked = time.Now()
	err := f.renew()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text == f.problem {
		return
	}
	f.problem = text
	f.status.Set(causeCertificate, err)
	if err != nil {
		f.logger.Warn("The client certificate of the tls section cannot be renewed; the one before stays in use", zap.Error(err))
	}
}

func (f *pairFiles) renew() error {
	found, err := f.read()
	if err != nil || found == f.now {
		return err
	}
	for _, use := range f.users {
		if err := use(found); err != nil {
			return err
		}
	}
	f.now = found
	f.logger.Info("Using a changed client certificate", zap.Time("expires", found.valid.to))
	return nil
}

func (f *pairFiles) read() (pair, error) {
	var p pair
	var errs [2]error
	p.cert, errs[0] = contentOf("tls.cert_file", f.tls.CertFile, f.tls.CertPem)
	p.key, errs[1] = contentOf("tls.key_file", f.tls.KeyFile, f.tls.KeyPem)
	if err := errors.Join(errs[:]...); err != nil {
		return pair{}, err
	}
	key := p.key
	if f.tls.TPMConfig.Enabled {
		key = "" // only the TPM can read it
	}
	if _, err := servicekey.CheckPair(p.cert, key); err != nil {
		return pair{}, fmt.Errorf("tls.cert_file, tls.key_file: %w", err)
	}
	p.valid = validityOf(p.cert)
	return p, nil
}

// contentOf is the content of a file, or inline where there is none.
func contentOf(name, path string, inline configopaque.String) (configopaque.String, error) {
	if path == "" {
		return inline, nil
	}
	raw, err := readAtMost(path, maxPairFile)
	if err != nil {
		if pathError, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathError.Err
		}
		return "", fmt.Errorf("%s %s: %w", name, path, err)
	}
	return configopaque.String(raw), nil
}

// builder makes a client, and what gives its connections back.
type builder func(context.Context, confighttp.ClientConfig) (*http.Client, func(), error)

// follow is a client that shows the pair in use, whatever the files hold by then.
func (f *pairFiles) follow(ctx context.Context, cfg confighttp.ClientConfig, build builder) (*http.Client, func(), error) {
	cfg.TLS.CertFile, cfg.TLS.KeyFile = "", ""
	withPair := func(ctx context.Context, p pair) (*http.Client, *built, error) {
		cfg := cfg
		cfg.TLS.CertPem, cfg.TLS.KeyPem = p.cert, p.key
		client, done, err := build(ctx, cfg)
		if err != nil {
			return nil, nil, err
		}
		return client, &built{client.Transport, done}, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	client, first, err := withPair(ctx, f.now)
	if err != nil {
		return nil, nil, err
	}
	transport := &following{files: f}
	transport.inner.Store(first)
	f.users = append(f.users, func(p pair) error { //nolint:contextcheck // lasts longer than Start
		_, renewed, err := withPair(context.Background(), p)
		if err != nil {
			return err
		}
		transport.inner.Swap(renewed).done()
		return nil
	})
	client.Transport = transport
	return client, func() { transport.inner.Load().done() }, nil
}

// built is a transport, and what gives its connections back.
type built struct {
	transport http.RoundTripper
	done      func()
}

// following sends requests through the transport that was built last.
type following struct {
	files *pairFiles
	inner atomic.Pointer[built]
}

func (t *following) RoundTrip(req *http.Request) (*http.Response, error) {
	t.files.look()
	resp, err := t.inner.Load().transport.RoundTrip(req)
	if err != nil || resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden {
		t.files.doubt()
	}
	return resp, err
}
