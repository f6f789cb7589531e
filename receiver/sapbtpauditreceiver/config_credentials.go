// Copyright The otelcol-audit Authors
// SPDX-License-Identifier: Apache-2.0

package sapbtpauditreceiver

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/otelcol-audit/otelcol-audit/receiver/sapbtpauditreceiver/internal/servicekey"
)

// maxSecretFile bounds what is read as a client secret.
const maxSecretFile = 64 << 10

// credentials returns the keys that the configuration itself holds: those of
// service_key, or the one that the explicit fields make up. There are none
// where they come from service_keys (see loadKeys) or from an authenticator.
//
// CertPEM and KeyPEM of a key for mTLS are set both or not at all; without
// them the client certificate is that of the tls section.
func (c *Config) credentials() ([]servicekey.Key, error) {
	switch {
	case c.ServiceKey != "":
		keys, err := servicekey.Parse([]byte(c.ServiceKey))
		if err != nil {
			return nil, fmt.Errorf("service_key: %w", err)
		}
		if keys, err = c.usableKeys(keys); err != nil {
			return keys, fmt.Errorf("service_key: %w", err)
		}
		return keys, nil
	case len(c.explicitFields()) > 0:
		key, err := c.explicitKey()
		if err != nil {
			return nil, err
		}
		return []servicekey.Key{key}, nil
	default:
		return nil, nil
	}
}

// loadKeys returns the keys of one match of service_keys, a file or a
// directory. Some may be there beside an error about the others, which does not
// name the path: whoever reports it does.
func (c *Config) loadKeys(path string) ([]servicekey.Key, error) {
	found, loadErr := servicekey.Load(path)
	keys, err := c.usableKeys(found)
	return keys, errors.Join(loadErr, err)
}

// secretOf returns the function that gives the client secret of the key for a
// token request. With client_secret_file it reads the file at each call, so
// that a changed secret takes effect.
func (c *Config) secretOf(key servicekey.Key) func() (string, error) {
	if c.ClientSecretFile == "" {
		return func() (string, error) { return string(key.ClientSecret), nil }
	}
	return func() (string, error) { return readSecret(c.ClientSecretFile) }
}

func readSecret(path string) (string, error) {
	raw, err := readAtMost(path, maxSecretFile)
	if err != nil {
		if pathError, ok := errors.AsType[*fs.PathError](err); ok {
			err = pathError.Err
		}
		return "", fmt.Errorf("client_secret_file %s: %w", path, err)
	}
	secret := strings.TrimRight(string(raw), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("client_secret_file %s is empty", path)
	}
	return secret, nil
}

func readAtMost(path string, limit int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	raw, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err == nil && len(raw) > limit {
		err = fmt.Errorf("larger than %d bytes", limit)
	}
	return raw, err
}

// usableKeys returns the keys that can be used under this configuration, and
// an error about the others.
func (c *Config) usableKeys(keys []servicekey.Key) ([]servicekey.Key, error) {
	var usable []servicekey.Key
	var errs []error
	for _, key := range keys {
		if err := c.checkKey(&key); err != nil {
			errs = append(errs, err)
			continue
		}
		if key.AuthType == servicekey.MutualTLS && key.KeyPEM == "" {
			// The private key is in the tls section, so the certificate is the one
			// there, too, which may be a newer one.
			key.CertPEM, key.NotAfter = "", time.Time{}
		}
		usable = append(usable, key)
	}
	return usable, errors.Join(errs...)
}

// checkKey checks a parsed service key against the rest of the configuration.
func (c *Config) checkKey(key *servicekey.Key) error {
	for _, text := range []string{key.Endpoint, key.TokenURL} {
		if u, err := url.Parse(text); err != nil || c.isForbiddenHTTP(u) {
			return errors.New("a URL in it is http: " + httpCure)
		}
	}
	switch {
	case c.AuthType == servicekey.MutualTLS && key.AuthType == servicekey.ClientSecret:
		return errors.New("auth_type is mtls, but the service key holds a client secret, as when it is created without " +
			"the x509 parameters; create one with the parameters " + servicekey.X509Parameters + ", or remove auth_type")
	case c.AuthType == servicekey.ClientSecret && key.AuthType == servicekey.MutualTLS:
		return errors.New("auth_type is client_secret, but the service key holds a certificate; remove auth_type")
	case key.AuthType == servicekey.MutualTLS && key.KeyPEM == "" && !c.hasCert():
		return errors.New("the service key has a self-managed certificate, whose private key SAP does not have (no uaa.key); " +
			"set tls.cert_file and tls.key_file")
	}
	return nil
}
